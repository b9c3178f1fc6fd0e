# The .cu files under the emulator: built by the host's compiler, linked into the native tests. See docs/cuda.md.
set(emulator ${CMAKE_CURRENT_SOURCE_DIR}/cuda_emulator)
set(emulator_files ${emulator}/fiber.cpp ${emulator}/grid.cpp ${emulator}/memory.cpp ${emulator}/runtime.cpp ${emulator}/cufft.cpp)
set(cu_files ${SIDELOOK_CUDA_SOURCES} ${CMAKE_CURRENT_SOURCE_DIR}/test_emulator.cu ${emulator}/planted_bugs.cu)
list(FILTER cu_files INCLUDE REGEX "\\.cu$")
set_source_files_properties(${cu_files} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
if(SIDELOOK_SANITIZE STREQUAL "thread")
  # ThreadSanitizer is to see kernels, not the scheduler that orders them.
  set_source_files_properties(${emulator_files} PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
endif()

add_library(sidelook_cuda_emulator OBJECT ${emulator_files} ${SIDELOOK_CUDA_SOURCES})
target_include_directories(sidelook_cuda_emulator PUBLIC ${emulator} ${emulator}/cufft ${PROJECT_SOURCE_DIR}/cpp/src
  ${PROJECT_SOURCE_DIR}/cpp/include)
target_compile_options(sidelook_cuda_emulator PUBLIC -Wall -Wextra -Wshadow -ffp-contract=off)
target_compile_definitions(sidelook_cuda_emulator PUBLIC SIDELOOK_EMULATOR)
if(SIDELOOK_SANITIZE STREQUAL "thread")
  target_compile_definitions(sidelook_cuda_emulator PUBLIC EMULATOR_WATCHED_BY_TSAN)
endif()

add_executable(sidelook_planted_bugs ${emulator}/planted_bugs.cu)
target_link_libraries(sidelook_planted_bugs PRIVATE sidelook_cuda_emulator sidelook)

target_sources(sidelook_tests PRIVATE test_emulator.cu)
target_link_libraries(sidelook_tests PRIVATE sidelook_cuda_emulator)
target_compile_definitions(sidelook_tests PRIVATE SIDELOOK_PLANTED_BUGS="$<TARGET_FILE:sidelook_planted_bugs>")
add_dependencies(sidelook_tests sidelook_planted_bugs)
