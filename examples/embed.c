/* Focusing from C: three point targets are simulated, focused and found again. Needs the C library and sidelook alone:
 *
 *     cc -std=c99 embed.c $(pkg-config --cflags --libs sidelook) -lm -o embed
 *
 * Returns 0 if every target lies where it was put. */
#include <math.h>
#include <sidelook/sidelook.h>
#include <stdio.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846, c0 = 299792458.0;

enum { targets = 3, pulses = 2200, samples = 600, search = 20 };

/* Delay of the echo received at time t: the antenna moves on between sending and receiving. */
static double delay_at(double t, double zero_doppler_s, double range_m, double velocity)
{
    const double back = hypot(range_m, velocity * (t - zero_doppler_s));
    double delay = 2 * back / c0;
    int i;
    for (i = 0; i < 3; ++i)
        delay = (back + hypot(range_m, velocity * (t - delay - zero_doppler_s))) / c0; /* gains v/c a round */
    return delay;
}

/* Adds the echo of a target of amplitude 1 to all pulses. */
static void add_target(float *echoes, const sidelook_acquisition *a, double zero_doppler_s, double range_m)
{
    int64_t k, j;
    for (k = 0; k < a->pulses; ++k) {
        const double sent = a->first_pulse_time_s + (double)k / a->prf_hz;
        for (j = 0; j < a->samples; ++j) {
            const double t = sent + a->first_sample_delay_s + (double)j / a->sample_rate_hz;
            const double delay = delay_at(t, zero_doppler_s, range_m, a->effective_velocity_m_per_s);
            const double in_pulse = t - delay - sent;
            if (fabs(in_pulse) <= 0.5 * a->chirp_duration_s) {
                const double phase = pi * a->chirp_rate_hz_per_s * in_pulse * in_pulse - 2 * pi * a->carrier_hz * delay;
                float *at = echoes + 2 * (k * a->samples + j);
                at[0] += (float)cos(phase);
                at[1] += (float)sin(phase);
            }
        }
    }
}

static double magnitude(const float *image, const sidelook_grid *grid, int64_t line, int64_t sample)
{
    const float *at = image + 2 * (line * grid->samples + sample);
    return hypot(at[0], at[1]);
}

/* Top of the parabola through the logarithms of three neighbours, from the middle one. */
static double vertex(double before, double middle, double after)
{
    const double l = log(before), m = log(middle), r = log(after);
    return 0.5 * (l - r) / (l - 2 * m + r);
}

/* Compares the peak near an expected pixel with where it should be; returns 0 if it lies within half a pixel. */
static int check_target(const float *image, const sidelook_grid *grid, double line, double sample)
{
    const int64_t i0 = (int64_t)floor(line + 0.5), j0 = (int64_t)floor(sample + 0.5);
    int64_t i, j, at_i = -1, at_j = -1;
    double most = 0, found_line, found_sample;
    int good;
    for (i = i0 - search; i <= i0 + search; ++i)
        for (j = j0 - search; j <= j0 + search; ++j) {
            double m;
            if (i < 1 || i >= grid->lines - 1 || j < 1 || j >= grid->samples - 1) continue;
            m = magnitude(image, grid, i, j); /* NaN, not exposed, is never greater */
            if (m > most) {
                most = m;
                at_i = i;
                at_j = j;
            }
        }
    if (at_i < 0) {
        printf("%9.2f %9.2f   no echo found\n", line, sample);
        return 1;
    }
    found_line =
        (double)at_i + vertex(magnitude(image, grid, at_i - 1, at_j), most, magnitude(image, grid, at_i + 1, at_j));
    found_sample =
        (double)at_j + vertex(magnitude(image, grid, at_i, at_j - 1), most, magnitude(image, grid, at_i, at_j + 1));
    /* Not "> 0.5": a NaN must fail. */
    good = fabs(found_line - line) <= 0.5 && fabs(found_sample - sample) <= 0.5;
    printf("%9.2f %9.2f %9.2f %9.2f %10.3f   %s\n", line, sample, found_line, found_sample, most,
           good ? "good" : "WRONG");
    return !good;
}

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sidelook_last_error());
    return 1;
}

int main(void)
{
    /* Places as shares of the image, and what to add in pixels to lie between pixels. */
    static const double along[targets] = {0.15, 0.5, 0.85}, across[targets] = {0.8, 0.5, 0.2};
    static const double off_line[targets] = {0.0, 0.3, -0.4}, off_sample[targets] = {0.0, -0.3, 0.4};
    const double doppler_hz[1] = {0};
    sidelook_acquisition acquisition;
    sidelook_grid grid;
    sidelook_focus *focus = NULL;
    float *echoes = NULL, *image = NULL;
    int64_t bytes = 0;
    int n, wrong = 0;

    if (sidelook_acquisition_init(&acquisition, sizeof acquisition)) return failed("acquisition");
    acquisition.sensor = "example";
    acquisition.epoch_utc = "2024-01-01T00:00:00Z";
    acquisition.carrier_hz = 5.3e9;
    acquisition.prf_hz = 1500;
    acquisition.pulses = pulses;
    acquisition.samples = samples;
    acquisition.sample_rate_hz = 25e6;
    acquisition.first_sample_delay_s = 2 * 850e3 / c0;
    acquisition.chirp_rate_hz_per_s = 2e12; /* 20 MHz in 10 us */
    acquisition.chirp_duration_s = 10e-6;
    acquisition.effective_velocity_m_per_s = 7100; /* without an orbit: a straight track */
    acquisition.doppler_centroid_hz = doppler_hz;
    acquisition.doppler_centroid_count = 1;

    if (sidelook_focus_create(&acquisition, NULL, &focus)) return failed("create");
    grid.struct_size = sizeof grid;
    if (sidelook_focus_grid(focus, &grid) || sidelook_focus_bytes(focus, &bytes)) return failed("grid");
    printf("sidelook %s: %d pulses x %d samples -> %ld lines x %ld samples, %.0f MB to run\n", sidelook_version(),
           (int)pulses, (int)samples, (long)grid.lines, (long)grid.samples, (double)bytes / 1e6);

    echoes = calloc((size_t)2 * pulses * samples, sizeof *echoes);
    image = malloc((size_t)2 * (size_t)grid.lines * (size_t)grid.samples * sizeof *image);
    if (!echoes || !image) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    for (n = 0; n < targets; ++n) {
        const double line = floor(along[n] * (double)grid.lines) + off_line[n];
        const double sample = floor(across[n] * (double)grid.samples) + off_sample[n];
        add_target(echoes, &acquisition, grid.first_line_time_s + line * grid.line_spacing_s,
                   grid.first_slant_range_m + sample * grid.sample_spacing_m);
    }
    if (sidelook_focus_memory(focus, echoes, image)) return failed("focus");

    printf("%9s %9s %9s %9s %10s\n", "line", "sample", "found", "found", "magnitude");
    for (n = 0; n < targets; ++n)
        wrong += check_target(image, &grid, floor(along[n] * (double)grid.lines) + off_line[n],
                              floor(across[n] * (double)grid.samples) + off_sample[n]);
    sidelook_focus_destroy(focus);
    free(image);
    free(echoes);
    return wrong != 0;
}
