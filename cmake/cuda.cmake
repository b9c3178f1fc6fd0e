# The CUDA implementations. With SIDELOOK_CUDA they are compiled into the library by nvcc; without, the native tests compile
# the same files for their emulator (cpp/tests/cuda.cmake). A new twin is one more line here.
option(SIDELOOK_CUDA "Build the CUDA implementations; needs nvcc, cudart and cuFFT" OFF)
set(SIDELOOK_CUDA_SOURCES
  ${PROJECT_SOURCE_DIR}/cpp/src/core/cuda/device.cpp
  ${PROJECT_SOURCE_DIR}/cpp/src/core/cuda/fft.cpp
  ${PROJECT_SOURCE_DIR}/cpp/src/detect/cfar.cu
  ${PROJECT_SOURCE_DIR}/cpp/src/focus/range_compress.cu)

if(SIDELOOK_CUDA AND SIDELOOK_SANITIZE)
  message(FATAL_ERROR "SIDELOOK_SANITIZE is ${SIDELOOK_SANITIZE} and SIDELOOK_CUDA is ON; sanitizers watch the emulator, nvcc has none")
endif()
if(SIDELOOK_CUDA)
  set(CMAKE_CUDA_ARCHITECTURES 87 90 CACHE STRING "Compute capabilities: 87 is Jetson Orin, 90 is H100 and H200")
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  if(NOT TARGET CUDA::cufft)
    message(FATAL_ERROR "SIDELOOK_CUDA is ON; needs cuFFT beside nvcc (${CUDAToolkit_BIN_DIR}), or CUDA_cufft_LIBRARY that names it")
  endif()
  set_target_properties(sidelook PROPERTIES CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}" CUDA_STANDARD 17
    CUDA_STANDARD_REQUIRED ON)
  target_sources(sidelook PRIVATE ${SIDELOOK_CUDA_SOURCES})
  target_link_libraries(sidelook PRIVATE CUDA::cudart_static CUDA::cufft)
  target_compile_definitions(sidelook PRIVATE SIDELOOK_CUDA)
  # 554: a view's conversion to a constant view is none where it is constant already.
  target_compile_options(sidelook PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-diag-suppress=554>)
endif()
