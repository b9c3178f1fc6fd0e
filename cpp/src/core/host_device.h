// SIDELOOK_HD marks what both sides compute: physics in headers that .cpp and .cu files share.
#pragma once

#if defined(__CUDACC__)
#define SIDELOOK_HD __host__ __device__
#else
#define SIDELOOK_HD
#endif
