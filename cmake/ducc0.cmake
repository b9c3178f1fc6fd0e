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

# Its notice, for what we ship. The sdist's LICENSE is the GPL, which is not for these files: the FFT and all it includes may
# be used under the 3-clause BSD licence instead, as each file says in its first lines. The notice is made from those lines.
set(SIDELOOK_DUCC0_NOTICE ${CMAKE_CURRENT_BINARY_DIR}/ducc0.txt)
set(_ducc0_copyrights "")
foreach(file fft/fft.h fft/fft1d_impl.h fft/fftnd_impl.h infra/aligned_array.h infra/error_handling.h infra/mav.cc infra/mav.h
    infra/misc_utils.h infra/simd.h infra/string_utils.cc infra/string_utils.h infra/threading.cc infra/threading.h
    infra/useful_macros.h math/cmplx.h math/unity_roots.h)
  file(READ ${SIDELOOK_DUCC0_DIR}/src/ducc0/${file} _text LIMIT 4000)
  if(NOT _text MATCHES "All rights reserved\\.[ \n]+(Redistribution and use in source and binary forms.*OF SUCH DAMAGE\\.)")
    message(FATAL_ERROR "${SIDELOOK_DUCC0_DIR}/src/ducc0/${file} does not begin with the 3-clause BSD licence; it must")
  endif()
  set(_ducc0_licence "${CMAKE_MATCH_1}")
  string(REGEX MATCHALL "Copyright \\(C\\)[^\n]*" _lines "${_text}")
  list(APPEND _ducc0_copyrights ${_lines})
endforeach()
list(REMOVE_DUPLICATES _ducc0_copyrights)
list(SORT _ducc0_copyrights)
list(JOIN _ducc0_copyrights "\n" _ducc0_copyrights)
file(WRITE ${SIDELOOK_DUCC0_NOTICE}
  "This library contains the FFT of ducc0 ${_ducc0_version}, used under the 3-clause BSD licence:\n\n"
  "${_ducc0_copyrights}\nAll rights reserved.\n\n${_ducc0_licence}\n")
