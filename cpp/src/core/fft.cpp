#include "core/fft.h"

#include "core/fft_kernels.h"

namespace sidelook::fft
{

std::int64_t good_length(std::int64_t n)
{
    for (std::int64_t m = n < 1 ? 1 : n;; ++m) {
        std::int64_t rest = m;
        for (const std::int64_t p : {2, 3, 5, 7})
            while (rest % p == 0) rest /= p;
        if (rest == 1) return m;
    }
}

namespace
{

bool empty(std::int64_t rows, std::int64_t cols) { return rows == 0 || cols == 0; }

}  // namespace

void forward(View2<c64> rows)
{
    if (!empty(rows.rows, rows.cols)) SIDELOOK_DISPATCH(fft_rows_c64, rows, true);
}

void inverse(View2<c64> rows)
{
    if (!empty(rows.rows, rows.cols)) SIDELOOK_DISPATCH(fft_rows_c64, rows, false);
}

void forward(View2<c128> rows)
{
    if (!empty(rows.rows, rows.cols)) portable::fft_rows_c128(rows, true);
}

void inverse(View2<c128> rows)
{
    if (!empty(rows.rows, rows.cols)) portable::fft_rows_c128(rows, false);
}

const char *library() { return "ducc0 0.42.0"; }

}  // namespace sidelook::fft
