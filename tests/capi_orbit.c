/* Focusing from C over an orbit, under squint, with antenna frames: a point must appear where geometry puts it, with
 * the amplitude of its echo and the phase of its range. All geometry here is the program's own: a circular orbit over a
 * rotating Earth, the delay from its three events in the inertial frame, zero Doppler in ECEF on the orbit itself. The
 * library is given samples of the orbit only. Returns 0 if all holds. */
#include <math.h>
#include <sidelook/sidelook.h>
#include <stdio.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846, c0 = 299792458.0;
static const double spin = 7.2921150e-5, mu = 3.986004418e14;                          /* of the Earth (rad/s, m3/s2) */
static const double axis_a = 6378137.0, axis_b = 6356752.314245;                       /* WGS84 (m) */
static const double orbit_radius = 7071e3, inclination = 1.7, latitude_argument = 0.7; /* (m, rad, rad at time 0) */
static const double look_angle = 0.55, squint = -0.02; /* (rad): right, 1.1 degrees backwards */
static const double antenna_m = 12.3;

enum { states = 60, pulses = 1400, samples = 420 };

typedef struct {
    double x, y, z;
} Vec;

static Vec sum(Vec a, double f, Vec b)
{
    Vec v;
    v.x = a.x + f * b.x, v.y = a.y + f * b.y, v.z = a.z + f * b.z;
    return v;
}

static Vec times(double f, Vec a)
{
    const Vec zero = {0, 0, 0};
    return sum(zero, f, a);
}

static Vec cross(Vec a, Vec b)
{
    Vec v;
    v.x = a.y * b.z - a.z * b.y, v.y = a.z * b.x - a.x * b.z, v.z = a.x * b.y - a.y * b.x;
    return v;
}

static double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static double norm(Vec a) { return sqrt(dot(a, a)); }

static Vec turned(Vec a, double angle) /* about the Earth's axis */
{
    Vec v;
    v.x = cos(angle) * a.x - sin(angle) * a.y, v.y = sin(angle) * a.x + cos(angle) * a.y, v.z = a.z;
    return v;
}

/* Position in the inertial frame, which is ECEF at time 0; `quarter` = pi / 2 gives the direction of the velocity. */
static Vec on_orbit(double t, double quarter)
{
    const double u = latitude_argument + quarter + sqrt(mu / pow(orbit_radius, 3)) * t;
    Vec v;
    v.x = orbit_radius * cos(u), v.y = orbit_radius * sin(u) * cos(inclination);
    v.z = orbit_radius * sin(u) * sin(inclination);
    return v;
}

static Vec position(double t) { return turned(on_orbit(t, 0), -spin * t); }

static Vec velocity(double t) /* as ECEF sees it: v - spin x r */
{
    const Vec r = on_orbit(t, 0), v = times(sqrt(mu / pow(orbit_radius, 3)), on_orbit(t, pi / 2));
    Vec pole_cross_r = {0, 0, 0};
    pole_cross_r.x = -r.y, pole_cross_r.y = r.x;
    return turned(sum(v, -spin, pole_cross_r), -spin * t);
}

/* Unit vectors across the velocity: towards the Earth's centre, and to the right seen along the velocity. */
static void across(double t, Vec *down, Vec *right)
{
    const Vec along = times(1 / norm(velocity(t)), velocity(t));
    const Vec in = sum(times(-1, position(t)), dot(position(t), along), along);
    *down = times(1 / norm(in), in);
    *right = cross(*down, along);
}

static void beam(double t, Vec *azimuth_axis, Vec *boresight)
{
    const Vec along = times(1 / norm(velocity(t)), velocity(t));
    Vec down, right, level;
    across(t, &down, &right);
    level = sum(times(cos(look_angle), down), sin(look_angle), right);
    *azimuth_axis = sum(times(cos(squint), along), -sin(squint), level);
    *boresight = sum(times(cos(squint), level), sin(squint), along);
}

/* Positive above the ellipsoid. */
static double above(Vec p) { return (p.x * p.x + p.y * p.y) / (axis_a * axis_a) + p.z * p.z / (axis_b * axis_b) - 1; }

/* The point of the ellipsoid with this zero Doppler: look angles are halved between nadir and horizon. */
static Vec place(double zero_doppler_s, double range_m)
{
    double low = 0, high = 1.1;
    Vec down, right, p = {0, 0, 0};
    int i;
    across(zero_doppler_s, &down, &right);
    for (i = 0; i < 60; ++i) {
        const double angle = 0.5 * (low + high);
        p = sum(sum(position(zero_doppler_s), range_m * cos(angle), down), range_m * sin(angle), right);
        if (above(p) < 0)
            low = angle;
        else
            high = angle;
    }
    return p;
}

/* Where the boresight meets the ellipsoid. */
static Vec boresight_point(double t)
{
    double low = 100e3, high = 1500e3;
    Vec axis, boresight;
    int i;
    beam(t, &axis, &boresight);
    for (i = 0; i < 60; ++i) {
        const double range = 0.5 * (low + high);
        if (above(sum(position(t), range, boresight)) > 0)
            low = range;
        else
            high = range;
    }
    return sum(position(t), low, boresight);
}

/* Delay of the echo received at t, and when it was reflected: each round gains a factor v / c. */
static double delay_at(double t, Vec target, double *reflected)
{
    double back = 0, forth = 0;
    int i;
    for (i = 0; i < 6; ++i) back = norm(sum(on_orbit(t, 0), -1, turned(target, spin * (t - back)))) / c0;
    *reflected = t - back;
    for (i = 0; i < 6; ++i)
        forth = norm(sum(on_orbit(*reflected - forth, 0), -1, turned(target, spin * *reflected))) / c0;
    return back + forth;
}

static double sinc(double x) { return fabs(x) < 1e-9 ? 1 : sin(pi * x) / (pi * x); }

static void add_target(float *echoes, const sidelook_acquisition *a, Vec target)
{
    int64_t k, j;
    for (k = 0; k < a->pulses; ++k) {
        const double sent = a->first_pulse_time_s + (double)k / a->prf_hz;
        for (j = 0; j < a->samples; ++j) {
            const double t = sent + a->first_sample_delay_s + (double)j / a->sample_rate_hz;
            double reflected, delay, in_pulse, phase, off, amplitude;
            Vec axis, boresight, to_target;
            delay = delay_at(t, target, &reflected);
            in_pulse = t - delay - sent;
            if (fabs(in_pulse) > 0.5 * a->chirp_duration_s) continue;
            beam(reflected, &axis, &boresight);
            to_target = sum(target, -1, position(reflected));
            off = antenna_m * a->carrier_hz / c0 * dot(to_target, axis) / norm(to_target);
            amplitude = pow(sinc(off), 2); /* there and back, from one antenna */
            phase = pi * a->chirp_rate_hz_per_s * in_pulse * in_pulse - 2 * pi * fmod(a->carrier_hz * delay, 1);
            echoes[2 * (k * a->samples + j)] += (float)(amplitude * cos(phase));
            echoes[2 * (k * a->samples + j) + 1] += (float)(amplitude * sin(phase));
        }
    }
}

static double magnitude(const float *image, const sidelook_grid *grid, int64_t line, int64_t sample)
{
    return hypot(image[2 * (line * grid->samples + sample)], image[2 * (line * grid->samples + sample) + 1]);
}

/* Top of the parabola through the logarithms of three neighbours, from the middle one. */
static double vertex(double before, double middle, double after)
{
    return 0.5 * (log(before) - log(after)) / (log(before) - 2 * log(middle) + log(after));
}

static int expect(const char *what, double off, double limit)
{
    const int good = fabs(off) <= limit; /* a NaN is not good */
    printf("%-4s %-28s %+.5f of at most %g\n", good ? "good" : "BAD", what, off, limit);
    return !good;
}

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sidelook_last_error());
    return 1;
}

int main(void)
{
    static sidelook_state_vector orbit[states];
    static sidelook_antenna_frame frames[states];
    const double middle_s = 30;
    double doppler_hz[1], reflected, range_m, turn;
    sidelook_acquisition a;
    sidelook_focus_options options;
    sidelook_grid grid;
    sidelook_focus *focus = NULL;
    float *echoes, *image, *again;
    int64_t line, sample;
    size_t bytes;
    Vec centre, target;
    int n, wrong = 0;

    for (n = 0; n < states; ++n) {
        const Vec p = position(n), v = velocity(n);
        Vec axis, boresight;
        beam(n, &axis, &boresight);
        orbit[n].time_s = frames[n].time_s = n;
        orbit[n].position_m[0] = p.x, orbit[n].position_m[1] = p.y, orbit[n].position_m[2] = p.z;
        orbit[n].velocity_m_per_s[0] = v.x, orbit[n].velocity_m_per_s[1] = v.y, orbit[n].velocity_m_per_s[2] = v.z;
        frames[n].azimuth_axis[0] = axis.x, frames[n].azimuth_axis[1] = axis.y, frames[n].azimuth_axis[2] = axis.z;
        frames[n].boresight[0] = boresight.x, frames[n].boresight[1] = boresight.y;
        frames[n].boresight[2] = boresight.z;
    }
    if (sidelook_acquisition_init(&a, sizeof a)) return failed("acquisition");
    a.epoch_utc = "2026-01-01T00:00:00Z";
    a.carrier_hz = 5.4e9;
    a.prf_hz = 1700;
    a.pulses = pulses;
    a.samples = samples;
    a.first_pulse_time_s = middle_s - 0.5 * pulses / a.prf_hz;
    a.sample_rate_hz = 25e6;
    a.chirp_rate_hz_per_s = -2e12; /* 16 MHz in 8 us */
    a.chirp_duration_s = 8e-6;
    a.orbit = orbit;
    a.orbit_count = states;
    a.antenna_azimuth_length_m = antenna_m;
    a.antenna_frames = frames;
    a.antenna_frame_count = states;
    centre = boresight_point(middle_s);
    a.first_sample_delay_s = delay_at(middle_s, centre, &reflected) - 0.5 * samples / a.sample_rate_hz;
    doppler_hz[0] = -a.carrier_hz *
                    (delay_at(middle_s + 1e-3, centre, &reflected) - delay_at(middle_s - 1e-3, centre, &reflected)) /
                    2e-3;
    a.doppler_centroid_hz = doppler_hz;
    a.doppler_centroid_count = 1;

    sidelook_focus_options_init(&options, sizeof options);
    options.threads = 2;
    if (sidelook_focus_create(&a, &options, &focus)) return failed("create");
    grid.struct_size = sizeof grid;
    if (sidelook_focus_grid(focus, &grid)) return failed("grid");
    printf("Doppler centroid %.1f Hz; %d x %d echoes -> %d x %d pixels, first line %.3f s\n", doppler_hz[0], pulses,
           samples, (int)grid.lines, (int)grid.samples, grid.first_line_time_s);

    /* On a pixel's centre in the middle of what is exposed there. */
    sample = grid.samples / 2 + 3;
    line = (grid.valid_first_line[sample] + grid.valid_end_line[sample]) / 2;
    range_m = grid.first_slant_range_m + (double)sample * grid.sample_spacing_m;
    target = place(grid.first_line_time_s + (double)line * grid.line_spacing_s, range_m);

    echoes = calloc((size_t)2 * pulses * samples, sizeof *echoes);
    bytes = 2 * (size_t)grid.lines * (size_t)grid.samples * sizeof *image;
    image = malloc(bytes), again = malloc(bytes);
    if (!echoes || !image || !again) return 1;
    add_target(echoes, &a, target);
    if (sidelook_focus_memory(focus, echoes, image)) return failed("focus");

    wrong += expect("off along azimuth (lines)",
                    vertex(magnitude(image, &grid, line - 1, sample), magnitude(image, &grid, line, sample),
                           magnitude(image, &grid, line + 1, sample)),
                    0.02);
    wrong += expect("off along range (samples)",
                    vertex(magnitude(image, &grid, line, sample - 1), magnitude(image, &grid, line, sample),
                           magnitude(image, &grid, line, sample + 1)),
                    0.02);
    wrong += expect("peak over its echo, less 1", magnitude(image, &grid, line, sample) - 1, 0.02);
    turn = atan2(image[2 * (line * grid.samples + sample) + 1], image[2 * (line * grid.samples + sample)]) / (2 * pi) +
           fmod(2 * range_m * a.carrier_hz / c0, 1);
    wrong += expect("phase off -4 pi f0 R/c (deg)", 360 * (turn - floor(turn + 0.5)), 1);

    /* The frames matter: without the pattern's equalisation the band's ends count less and the peak sinks. */
    sidelook_focus_destroy(focus);
    options.equalise_antenna = 0;
    if (sidelook_focus_create(&a, &options, &focus)) return failed("create");
    if (sidelook_focus_memory(focus, echoes, again)) return failed("focus");
    n = magnitude(again, &grid, line, sample) < 0.95 * magnitude(image, &grid, line, sample);
    printf("%-4s %-28s %.5f\n", n ? "good" : "BAD", "peak with the pattern left in",
           magnitude(again, &grid, line, sample));
    wrong += !n;

    sidelook_focus_destroy(focus);
    free(again), free(image), free(echoes);
    printf("%d failed\n", wrong);
    return wrong;
}
