# The built-in FFT: ducc0's C++ headers (BSD-3), taken from the sdist on the user's own package index at configure time.
# SIDELOOK_DUCC0_DIR names an unpacked ducc0 source tree instead, for builds without a network.
set(SIDELOOK_DUCC0_DIR "" CACHE PATH "Unpacked ducc0 source tree (holds src/ducc0); empty: fetch the sdist with pip")
set(_ducc0_version 0.42.0)
set(_ducc0_sha256 4e11c59b53a43355b053aebb2a62ee16eebeed026575f7d216cf09d437ce52ef)

if(NOT SIDELOOK_DUCC0_DIR)
  set(_ducc0_root ${CMAKE_CURRENT_BINARY_DIR}/ducc0)
  set(SIDELOOK_DUCC0_DIR ${_ducc0_root}/ducc0-${_ducc0_version})
  if(NOT EXISTS ${SIDELOOK_DUCC0_DIR}/src/ducc0/fft/fft.h)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    file(MAKE_DIRECTORY ${_ducc0_root})
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env PIP_DISABLE_PIP_VERSION_CHECK=1 ${Python3_EXECUTABLE} -m pip download --quiet
        --no-deps --no-binary ducc0 --dest ${_ducc0_root} ducc0==${_ducc0_version}
      RESULT_VARIABLE _status ERROR_VARIABLE _log)
    set(_sdist ${_ducc0_root}/ducc0-${_ducc0_version}.tar.gz)
    if(NOT _status EQUAL 0 OR NOT EXISTS ${_sdist})
      message(FATAL_ERROR "ducc0 ${_ducc0_version} could not be fetched with pip; unpack its sdist and set "
        "SIDELOOK_DUCC0_DIR. pip said:\n${_log}")
    endif()
    file(SHA256 ${_sdist} _found)
    if(NOT _found STREQUAL _ducc0_sha256)
      message(FATAL_ERROR "${_sdist} has SHA-256 ${_found}; must be ${_ducc0_sha256}")
    endif()
    file(ARCHIVE_EXTRACT INPUT ${_sdist} DESTINATION ${_ducc0_root})
  endif()
endif()
if(NOT EXISTS ${SIDELOOK_DUCC0_DIR}/src/ducc0/fft/fft.h)
  message(FATAL_ERROR "SIDELOOK_DUCC0_DIR is ${SIDELOOK_DUCC0_DIR}; must hold src/ducc0/fft/fft.h")
endif()
