// The C interface: C structures become the library's own, exceptions become a status and a sentence.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>

#include "core/text.h"
#include "sidelook/error.h"
#include "sidelook/focus.h"
#include "sidelook/sidelook.h"

using namespace sidelook;

struct sidelook_focus {
    FocusPlan plan;
    std::int64_t pulses, samples;  ///< of the echoes
};

namespace
{

static_assert(SIDELOOK_OK == static_cast<int>(Code::ok) && SIDELOOK_FAILURE == static_cast<int>(Code::failure) &&
              SIDELOOK_USAGE == static_cast<int>(Code::usage) &&
              SIDELOOK_BAD_INPUT == static_cast<int>(Code::bad_input) &&
              SIDELOOK_MISSING_AUXILIARY == static_cast<int>(Code::missing_auxiliary) &&
              SIDELOOK_OVER_MEMORY == static_cast<int>(Code::over_memory));
static_assert(SIDELOOK_WINDOW_RECTANGULAR == static_cast<int>(Window::Shape::rectangular) &&
              SIDELOOK_WINDOW_HAMMING == static_cast<int>(Window::Shape::hamming) &&
              SIDELOOK_WINDOW_KAISER == static_cast<int>(Window::Shape::kaiser) &&
              SIDELOOK_WINDOW_TAYLOR == static_cast<int>(Window::Shape::taylor));

// An array, not a string: there must be room for the sentence even when memory has run out.
thread_local char last_error[1024] = "";

sidelook_status fail(Code code, const char *sentence) noexcept
{
    std::snprintf(last_error, sizeof last_error, "%s", sentence);
    return static_cast<sidelook_status>(code);
}

/// The one wall: no exception passes it.
template <class Body> sidelook_status guarded(const Body &body) noexcept
{
    last_error[0] = 0;
    try {
        body();
        return SIDELOOK_OK;
    } catch (const Error &e) {
        return fail(e.code(), e.what());
    } catch (const std::bad_alloc &) {
        return fail(Code::over_memory, "memory ran out; the work needs more than the system gives");
    } catch (const std::exception &e) {
        return fail(Code::failure, e.what());
    } catch (...) {
        return fail(Code::failure, "an exception of unknown type was thrown; callbacks must return instead");
    }
}

template <class T> void require_given(const char *name, const T *pointer)
{
    require(pointer != nullptr, text(name, " is NULL; must be given"));
}

void require_size(const char *name, std::size_t given, std::size_t wanted)
{
    require(given == wanted,
            text(name, " struct_size is ", given, "; must be ", wanted, ", the sizeof in this version, ", version()));
}

Vec3 vec3(const double (&v)[3]) { return {v[0], v[1], v[2]}; }

template <class T> const T *elements(const char *name, const T *first, std::size_t count)
{
    require(count == 0 || first != nullptr, text(name, " is NULL and its count ", count, "; must be given"));
    return first;
}

Acquisition from_c(const sidelook_acquisition &c)
{
    Acquisition a;
    a.sensor = c.sensor ? c.sensor : "";
    a.epoch_utc = c.epoch_utc ? c.epoch_utc : "";
    a.carrier_hz = c.carrier_hz;
    a.prf_hz = c.prf_hz;
    a.first_pulse_time_s = c.first_pulse_time_s;
    a.pulses = c.pulses;
    a.samples = c.samples;
    a.sample_rate_hz = c.sample_rate_hz;
    a.first_sample_delay_s = c.first_sample_delay_s;
    a.chirp_rate_hz_per_s = c.chirp_rate_hz_per_s;
    a.chirp_duration_s = c.chirp_duration_s;
    a.look_side = static_cast<LookSide>(c.look_side);  // validate() refuses other values
    a.terrain_height_m = c.terrain_height_m;
    const auto *orbit = elements("orbit", c.orbit, c.orbit_count);
    for (std::size_t i = 0; i < c.orbit_count; ++i)
        a.orbit.push_back({orbit[i].time_s, vec3(orbit[i].position_m), vec3(orbit[i].velocity_m_per_s)});
    a.effective_velocity_m_per_s = c.effective_velocity_m_per_s;
    a.antenna.azimuth_length_m = c.antenna_azimuth_length_m;
    a.antenna.elevation_length_m = c.antenna_elevation_length_m;
    const auto *frames = elements("antenna_frames", c.antenna_frames, c.antenna_frame_count);
    for (std::size_t i = 0; i < c.antenna_frame_count; ++i)
        a.antenna.frames.push_back({frames[i].time_s, vec3(frames[i].azimuth_axis), vec3(frames[i].boresight)});
    const double *doppler = elements("doppler_centroid_hz", c.doppler_centroid_hz, c.doppler_centroid_count);
    if (c.doppler_centroid_count > 0) a.doppler_centroid_hz.assign(doppler, doppler + c.doppler_centroid_count);
    a.doppler_drift_hz_per_s = c.doppler_drift_hz_per_s;
    return a;
}

Window window_from_c(const char *name, std::int32_t shape, double parameter)
{
    require(shape >= SIDELOOK_WINDOW_RECTANGULAR && shape <= SIDELOOK_WINDOW_TAYLOR,
            text(name, "_shape is ", shape, "; must be a sidelook_window, 0 to ",
                 static_cast<int>(SIDELOOK_WINDOW_TAYLOR)));
    return {static_cast<Window::Shape>(shape), parameter};
}

FocusOptions from_c(const sidelook_focus_options &c)
{
    FocusOptions o;
    o.doppler_bandwidth_hz = c.doppler_bandwidth_hz;
    o.range_bandwidth_hz = c.range_bandwidth_hz;
    o.azimuth_window = window_from_c("azimuth_window", c.azimuth_window_shape, c.azimuth_window_parameter);
    o.range_window = window_from_c("range_window", c.range_window_shape, c.range_window_parameter);
    o.equalise_antenna = c.equalise_antenna != 0;
    o.minimum_exposure = c.minimum_exposure;
    o.block_lines = c.block_lines;
    o.strip_samples = c.strip_samples;
    o.max_bytes = c.max_bytes;
    o.base_bytes = c.base_bytes;
    o.threads = c.threads;
    return o;
}

void go_on(const char *name, int returned)
{
    if (returned != 0)
        throw Error(Code::failure, text("the ", name, " callback returned ", returned,
                                        " and stopped the run; must return 0 to go on"));
}

void run_plan(const FocusPlan &plan, const EchoReader &reader, const SlcWriter &writer,
              const std::function<void(double)> &progress)
{
    std::vector<StageReport> report;
    plan.run(reader, writer, EchoCorrections{}, progress, report);
}

}  // namespace

const char *sidelook_version(void) { return version(); }

const char *sidelook_last_error(void) { return last_error; }

sidelook_status sidelook_acquisition_init(sidelook_acquisition *acquisition, size_t struct_size)
{
    return guarded([&] {
        require_given("acquisition", acquisition);
        require_size("acquisition", struct_size, sizeof *acquisition);
        *acquisition = sidelook_acquisition{};
        acquisition->struct_size = struct_size;
        acquisition->look_side = static_cast<int>(LookSide::right);
    });
}

sidelook_status sidelook_focus_options_init(sidelook_focus_options *options, size_t struct_size)
{
    return guarded([&] {
        require_given("options", options);
        require_size("options", struct_size, sizeof *options);
        const FocusOptions o;
        *options = sidelook_focus_options{};
        options->struct_size = struct_size;
        options->doppler_bandwidth_hz = o.doppler_bandwidth_hz;
        options->range_bandwidth_hz = o.range_bandwidth_hz;
        options->azimuth_window_shape = static_cast<std::int32_t>(o.azimuth_window.shape);
        options->azimuth_window_parameter = o.azimuth_window.parameter;
        options->range_window_shape = static_cast<std::int32_t>(o.range_window.shape);
        options->range_window_parameter = o.range_window.parameter;
        options->equalise_antenna = o.equalise_antenna;
        options->minimum_exposure = o.minimum_exposure;
        options->block_lines = o.block_lines;
        options->strip_samples = o.strip_samples;
        options->max_bytes = o.max_bytes;
        options->base_bytes = o.base_bytes;
        options->threads = o.threads;
    });
}

sidelook_status sidelook_focus_create(const sidelook_acquisition *acquisition, const sidelook_focus_options *options,
                                      sidelook_focus **focus)
{
    return guarded([&] {
        require_given("focus", focus);
        *focus = nullptr;
        require_given("acquisition", acquisition);
        require_size("acquisition", acquisition->struct_size, sizeof *acquisition);
        if (options) require_size("options", options->struct_size, sizeof *options);
        *focus = new sidelook_focus{FocusPlan(from_c(*acquisition), options ? from_c(*options) : FocusOptions{}),
                                    acquisition->pulses, acquisition->samples};
    });
}

sidelook_status sidelook_focus_grid(const sidelook_focus *focus, sidelook_grid *grid)
{
    return guarded([&] {
        require_given("focus", focus);
        require_given("grid", grid);
        require_size("grid", grid->struct_size, sizeof *grid);
        const SlcGrid &g = focus->plan.grid();
        grid->lines = g.lines;
        grid->samples = g.samples;
        grid->first_line_time_s = g.first_line_time_s;
        grid->line_spacing_s = g.line_spacing_s;
        grid->first_slant_range_m = g.first_slant_range_m;
        grid->sample_spacing_m = g.sample_spacing_m;
        grid->valid_first_line = g.valid_first_line.data();
        grid->valid_end_line = g.valid_end_line.data();
        grid->doppler_centroid_hz = g.doppler_centroid_hz.data();
        grid->range_spectrum_centre = g.range_spectrum_centre.data();
        grid->doppler_bandwidth_hz = g.doppler_bandwidth_hz;
        grid->range_bandwidth_hz = g.range_bandwidth_hz;
        grid->effective_velocity_m_per_s = g.effective_velocity_m_per_s;
    });
}

sidelook_status sidelook_focus_bytes(const sidelook_focus *focus, int64_t *bytes)
{
    return guarded([&] {
        require_given("focus", focus);
        require_given("bytes", bytes);
        *bytes = focus->plan.bytes();
    });
}

sidelook_status sidelook_focus_run(sidelook_focus *focus, sidelook_read read, sidelook_write write,
                                   sidelook_progress progress, void *user)
{
    return guarded([&] {
        require_given("focus", focus);
        require(read != nullptr, "read is NULL; must be a function");
        require(write != nullptr, "write is NULL; must be a function");
        // A complex<float> is two floats, real part first ([complex.numbers] of the C++ standard), so the views can be
        // handed out.
        const auto reader = [&](std::int64_t first_line, std::int64_t lines, std::int64_t first_sample,
                                View2<c64> out) {
            go_on("read", read(user, first_line, lines, first_sample, out.cols, reinterpret_cast<float *>(out.data),
                               out.stride));
        };
        const auto writer = [&](std::int64_t first_line, std::int64_t first_sample, View2<const c64> block) {
            go_on("write", write(user, first_line, block.rows, first_sample, block.cols,
                                 reinterpret_cast<const float *>(block.data), block.stride));
        };
        std::function<void(double)> tick;
        if (progress) tick = [&](double share) { go_on("progress", progress(user, share)); };
        run_plan(focus->plan, reader, writer, tick);
    });
}

sidelook_status sidelook_focus_memory(sidelook_focus *focus, const float *echoes, float *image)
{
    return guarded([&] {
        require_given("focus", focus);
        require_given("echoes", echoes);
        require_given("image", image);
        const SlcGrid &grid = focus->plan.grid();
        const View2<const c64> in(reinterpret_cast<const c64 *>(echoes), focus->pulses, focus->samples);
        const View2<c64> out(reinterpret_cast<c64 *>(image), grid.lines, grid.samples);
        const std::less_equal<const c64 *> before;
        // Lines are written while later ones are still read.
        require(before(in.row(in.rows), out.data) || before(out.row(out.rows), in.data),
                "image overlaps echoes; must be memory of its own");
        const auto reader = [&](std::int64_t first_line, std::int64_t lines, std::int64_t first_sample, View2<c64> to) {
            for (std::int64_t r = 0; r < lines; ++r) std::copy_n(&in(first_line + r, first_sample), to.cols, to.row(r));
        };
        const auto writer = [&](std::int64_t first_line, std::int64_t first_sample, View2<const c64> block) {
            for (std::int64_t r = 0; r < block.rows; ++r)
                std::copy_n(block.row(r), block.cols, &out(first_line + r, first_sample));
        };
        run_plan(focus->plan, reader, writer, {});
    });
}

void sidelook_focus_destroy(sidelook_focus *focus) { delete focus; }
