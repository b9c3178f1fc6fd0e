#include "radiometry/multilook.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "core/text.h"
#include "core/threads.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t spare_floats = 64;  // beyond a tile's sums and counts: a whole vector and a cache line

template <class In, class Out> constexpr LookSum look_sum()
{
    if (std::is_same_v<In, float>) return LookSum::value;
    return std::is_same_v<Out, c64> ? LookSum::complex : LookSum::power;
}

constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// Means of `cells` cells from the sums of their columns, `width` values each; columns are added in double, in their
/// order. `count` is null where nothing is missing; else a pixel counts `weight` there.
void means(const float *sum, const float *count, std::int64_t cells, std::int64_t width, double pixels, double weight,
           float *out)
{
    for (std::int64_t c = 0; c < cells; ++c, sum += width) {
        double total = 0, held = pixels;
        if (count) {
            held = 0;
            for (std::int64_t i = 0; i < width; ++i) held += static_cast<double>(count[c * width + i]);
            held /= weight;
        }
        for (std::int64_t i = 0; i < width; ++i) total += static_cast<double>(sum[i]);
        out[c] = 2 * held < pixels ? none : static_cast<float>(total / held);
    }
}

/// The same of complex sums; real and imaginary parts alternate.
void means(const float *sum, const float *count, std::int64_t cells, std::int64_t width, double pixels, c64 *out)
{
    for (std::int64_t c = 0; c < cells; ++c, sum += width) {
        double re = 0, im = 0, held = count ? 0 : pixels;
        for (std::int64_t i = 0; i < width; i += 2) {
            re += static_cast<double>(sum[i]);
            im += static_cast<double>(sum[i + 1]);
            if (count) held += static_cast<double>(count[c * width + i]);
        }
        out[c] =
            2 * held < pixels ? c64(none, none) : c64(static_cast<float>(re / held), static_cast<float>(im / held));
    }
}

}  // namespace

void check_looks(Looks looks, std::int64_t lines, std::int64_t samples)
{
    require(lines > 0 && samples > 0, text("image is ", lines, " x ", samples, "; must not be empty"));
    const auto check = [](const char *axis, std::int64_t count, const char *of, std::int64_t most) {
        require(count >= 1 && count <= most, text("looks along ", axis, " are ", count, "; must lie within 1 and the ",
                                                  most, " ", of, " of the image"));
    };
    check("azimuth", looks.azimuth, "lines", lines);
    check("range", looks.range, "samples", samples);
}

template <class In, class Out>
Multilook<In, Out>::Multilook(std::int64_t lines, std::int64_t samples, Looks looks) : samples_(samples), looks_(looks)
{
    check_looks(looks, lines, samples);
}

/// Cells summed at once: their sums stay in the first cache.
template <class In, class Out> std::int64_t Multilook<In, Out>::tile_cells() const
{
    return std::min(samples_out(), std::max<std::int64_t>(1, 1024 / looks_.range));
}

template <class In, class Out> std::int64_t Multilook<In, Out>::workspace_bytes(std::int64_t, int threads) const
{
    constexpr std::int64_t parts = std::is_same_v<In, c64> ? 2 : 1;
    const std::int64_t floats = 2 * (tile_cells() * looks_.range * parts + spare_floats);
    return threads * floats * static_cast<std::int64_t>(sizeof(float));
}

template <class In, class Out>
void Multilook<In, Out>::compute(View2<const In> in, Interval in_lines, View2<Out> out, Interval out_lines, int threads,
                                 Workspace &workspace) const
{
    constexpr std::int64_t parts = std::is_same_v<In, c64> ? 2 : 1;
    constexpr LookSum what = look_sum<In, Out>();
    const std::int64_t cells = samples_out(), tile = tile_cells(), tiles = (cells + tile - 1) / tile;
    const std::int64_t cell_floats = looks_.range * parts, tile_floats = tile * cell_floats + spare_floats;
    const auto pixels = static_cast<double>(looks_.azimuth * looks_.range);
    std::atomic<std::int64_t> negative{out_lines.end};
    parallel_for(out_lines.size() * tiles, threads, [&](std::int64_t index, int worker) {
        const std::int64_t r = index / tiles, first = index % tiles * tile, n = std::min(tile, cells - first);
        auto *sum = reinterpret_cast<float *>(workspace.get(worker, tile_floats));
        float *count = sum + tile_floats, lowest = 0;
        const auto *x = reinterpret_cast<const float *>(
            &in((out_lines.first + r) * looks_.azimuth - in_lines.first, first * looks_.range));
        const bool whole = SIDELOOK_DISPATCH(sum_lines, what, x, in.stride * parts, looks_.azimuth, n * cell_floats,
                                             sum, count, lowest);
        if (lowest < 0) {
            std::int64_t line = out_lines.first + r, known = negative;
            while (line < known && !negative.compare_exchange_weak(known, line)) {}
        }
        if (whole) count = nullptr;
        if constexpr (std::is_same_v<Out, c64>) {
            means(sum, count, n, cell_floats, pixels, &out(r, first));
        } else {
            // Halved while it can be, with whole vectors; what is left is added one by one.
            std::int64_t width = cell_floats;
            for (; width % 2 == 0; width /= 2) {
                SIDELOOK_DISPATCH(fold_pairs, sum, n * width / 2);
                if (count) SIDELOOK_DISPATCH(fold_pairs, count, n * width / 2);
            }
            if (width == 1 && !count)
                SIDELOOK_DISPATCH(divide_row, sum, &out(r, first), n, static_cast<float>(pixels));
            else
                means(sum, count, n, width, pixels, static_cast<double>(parts), &out(r, first));
        }
    });
    if (negative < out_lines.end)
        throw Error(Code::bad_input, text("image has powers below 0 in lines ", negative * looks_.azimuth, " to ",
                                          (negative + 1) * looks_.azimuth - 1, "; must be linear power, not decibels"));
}

template class Multilook<c64, float>;
template class Multilook<c64, c64>;
template class Multilook<float, float>;

namespace
{

template <class In, class Out> void whole_image(View2<const In> in, Looks looks, View2<Out> out, int threads)
{
    const Multilook<In, Out> stage(in.rows, in.cols, looks);
    const Interval lines = stage.lines_out({0, in.rows});
    require(out.rows == lines.size() && out.cols == stage.samples_out(),
            text("out is ", out.rows, " x ", out.cols, "; must be ", lines.size(), " x ", stage.samples_out()));
    const int workers = threads > 0 ? threads : default_threads();
    Workspace workspace(workers);
    stage.compute(in, {0, in.rows}, out, lines, workers, workspace);
}

}  // namespace

void multilook(View2<const c64> in, Looks looks, View2<float> out, int threads)
{
    whole_image(in, looks, out, threads);
}
void multilook(View2<const float> in, Looks looks, View2<float> out, int threads)
{
    whole_image(in, looks, out, threads);
}
void multilook_complex(View2<const c64> in, Looks looks, View2<c64> out, int threads)
{
    whole_image(in, looks, out, threads);
}

}  // namespace sidelook
