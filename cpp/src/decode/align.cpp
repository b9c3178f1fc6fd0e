// Lines whose receive window lies between two samples of the common grid, moved onto it.
#include <algorithm>
#include <cmath>
#include <complex>

#include "core/fft.h"
#include "core/memory.h"
#include "core/text.h"
#include "core/threads.h"
#include "sidelook/decode.h"
#include "sidelook/error.h"

namespace sidelook::sentinel1
{

void align_lines(View2<c64> lines, double shift_samples, int threads)
{
    require(std::abs(shift_samples) <= 1, text("shift_samples is ", shift_samples, "; must be within -1 and 1"));
    if (lines.rows == 0 || lines.cols == 0 || shift_samples == 0) return;
    constexpr std::int64_t apart = 64;  // zeros between the ends of a line, which the transform joins
    const std::int64_t length = fft::good_length(lines.cols + apart);
    std::vector<c64> turns(static_cast<std::size_t>(length));
    for (std::int64_t k = 0; k < length; ++k) {
        const auto cycles = static_cast<double>(2 * k < length ? k : k - length) / static_cast<double>(length);
        turns[static_cast<std::size_t>(k)] =
            c64(std::polar(1.0 / static_cast<double>(length), -2 * 3.14159265358979323846 * cycles * shift_samples));
    }
    if (threads <= 0) threads = default_threads();
    threads = static_cast<int>(std::min<std::int64_t>(threads, lines.rows));
    const Buffer<c64> buffers(threads * length);
    parallel_for(lines.rows, threads, [&](std::int64_t i, int worker) {
        c64 *row = buffers.data() + worker * length;
        std::copy_n(lines.row(i), lines.cols, row);
        std::fill(row + lines.cols, row + length, c64());
        fft::forward(View2<c64>(row, 1, length));
        for (std::int64_t k = 0; k < length; ++k) row[k] *= turns[static_cast<std::size_t>(k)];
        fft::inverse(View2<c64>(row, 1, length));
        std::copy_n(row, lines.cols, lines.row(i));
    });
}

}  // namespace sidelook::sentinel1
