// Row transforms by ducc0, compiled once for each instruction set (see isa.h).
#include "core/fft_kernels.h"

#include "ducc0/fft/fft.h"
#include "ducc0/fft/fft1d_impl.h"
#include "ducc0/fft/fftnd_impl.h"
#include "ducc0/infra/mav.cc"
#include "ducc0/infra/string_utils.cc"
#include "ducc0/infra/threading.cc"

namespace sidelook::SIDELOOK_ISA
{

template <class T> static void transform(View2<std::complex<T>> rows, bool forward)
{
    const std::vector<std::size_t> shape{static_cast<std::size_t>(rows.rows), static_cast<std::size_t>(rows.cols)};
    const std::vector<std::ptrdiff_t> stride{rows.stride, 1};
    const DUCC0_NAMESPACE::vfmav<std::complex<T>> view(rows.data, shape, stride);
    const DUCC0_NAMESPACE::cfmav<std::complex<T>> in(view);
    DUCC0_NAMESPACE::c2c(in, view, {1}, forward, T(1), 1);
}

void fft_rows_c64(View2<c64> rows, bool forward) { transform(rows, forward); }
#ifdef SIDELOOK_FFT_DOUBLE  // double precision serves plans and analysis, not images: one build of it is enough
void fft_rows_c128(View2<c128> rows, bool forward) { transform(rows, forward); }
#endif

}  // namespace sidelook::SIDELOOK_ISA
