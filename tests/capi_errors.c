/* The C interface refuses what breaks a rule with a status and a sentence that names the argument, and its two ways to
 * run give the same image. Returns the number of checks that failed. */
#include <sidelook/sidelook.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void expect(const char *what, sidelook_status got, sidelook_status wanted, const char *named)
{
    const char *sentence = sidelook_last_error();
    const int good = got == wanted && (named ? strstr(sentence, named) != NULL : sentence[0] == 0);
    if (!good) ++failures;
    printf("%-4s %-32s %d  %s\n", good ? "good" : "BAD", what, (int)got, sentence);
}

static void expect_true(const char *what, int holds)
{
    if (!holds) ++failures;
    printf("%-4s %s\n", holds ? "good" : "BAD", what);
}

static const double doppler_hz[1] = {0};

static sidelook_acquisition sound(void)
{
    sidelook_acquisition a;
    sidelook_acquisition_init(&a, sizeof a);
    a.carrier_hz = 5.3e9;
    a.prf_hz = 1500;
    a.pulses = 1200;
    a.samples = 320;
    a.sample_rate_hz = 25e6;
    a.first_sample_delay_s = 5.67e-3;
    a.chirp_rate_hz_per_s = -2e12;
    a.chirp_duration_s = 10e-6;
    a.effective_velocity_m_per_s = 7100;
    a.doppler_centroid_hz = doppler_hz;
    a.doppler_centroid_count = 1;
    return a;
}

/* Expects that the acquisition is refused as bad input and that no plan comes back. */
static void refused(const char *what, const sidelook_acquisition *a, const sidelook_focus_options *o,
                    sidelook_status wanted, const char *named)
{
    sidelook_focus *focus = (sidelook_focus *)&failures; /* not NULL, so that the call must set it */
    expect(what, sidelook_focus_create(a, o, &focus), wanted, named);
    expect_true("     no plan", focus == NULL);
}

static void refuse_acquisitions(void)
{
    sidelook_acquisition a = sound();
    refused("NULL acquisition", NULL, NULL, SIDELOOK_BAD_INPUT, "acquisition");
    a.struct_size = 0;
    refused("struct_size 0", &a, NULL, SIDELOOK_BAD_INPUT, "struct_size");
    a = sound(), a.prf_hz = 0;
    refused("PRF 0", &a, NULL, SIDELOOK_BAD_INPUT, "prf_hz");
    a = sound(), a.sample_rate_hz = -25e6;
    refused("negative sample rate", &a, NULL, SIDELOOK_BAD_INPUT, "sample_rate_hz");
    a = sound(), a.pulses = -1;
    refused("negative pulses", &a, NULL, SIDELOOK_BAD_INPUT, "pulses");
    a = sound(), a.look_side = 0;
    refused("no look side", &a, NULL, SIDELOOK_BAD_INPUT, "look_side");
    a = sound(), a.doppler_centroid_count = 0;
    refused("no Doppler centroid", &a, NULL, SIDELOOK_BAD_INPUT, "doppler_centroid_hz");
    a = sound(), a.doppler_centroid_hz = NULL;
    refused("NULL Doppler centroid", &a, NULL, SIDELOOK_BAD_INPUT, "doppler_centroid_hz");
    a = sound(), a.effective_velocity_m_per_s = 0;
    refused("no orbit, no velocity", &a, NULL, SIDELOOK_BAD_INPUT, "effective_velocity_m_per_s");
    a = sound(), a.orbit_count = 5;
    refused("NULL orbit", &a, NULL, SIDELOOK_BAD_INPUT, "orbit");
    a = sound(), a.antenna_frame_count = 1;
    refused("NULL antenna frames", &a, NULL, SIDELOOK_BAD_INPUT, "antenna_frames");
}

static void refuse_options(void)
{
    const sidelook_acquisition a = sound();
    sidelook_focus_options o;
    expect("NULL options to init", sidelook_focus_options_init(NULL, sizeof o), SIDELOOK_BAD_INPUT, "options");
    expect("wrong size to init", sidelook_focus_options_init(&o, sizeof o - 1), SIDELOOK_BAD_INPUT, "struct_size");
    expect("options", sidelook_focus_options_init(&o, sizeof o), SIDELOOK_OK, NULL);
    o.struct_size = 0;
    refused("struct_size 0 of options", &a, &o, SIDELOOK_BAD_INPUT, "struct_size");
    sidelook_focus_options_init(&o, sizeof o), o.max_bytes = 1000;
    refused("too little memory", &a, &o, SIDELOOK_OVER_MEMORY, "max_bytes");
    sidelook_focus_options_init(&o, sizeof o), o.azimuth_window_shape = 9;
    refused("unknown window", &a, &o, SIDELOOK_BAD_INPUT, "azimuth_window");
    sidelook_focus_options_init(&o, sizeof o), o.range_window_parameter = 3;
    refused("Hamming 3", &a, &o, SIDELOOK_BAD_INPUT, "range_window");
    sidelook_focus_options_init(&o, sizeof o), o.minimum_exposure = 2;
    refused("exposure 2", &a, &o, SIDELOOK_BAD_INPUT, "minimum_exposure");
    sidelook_focus_options_init(&o, sizeof o), o.threads = -1;
    refused("threads -1", &a, &o, SIDELOOK_BAD_INPUT, "threads");
}

/* A source and a sink in memory; each callback returns what it is told to. */
typedef struct {
    const float *echoes;
    float *image;
    int64_t in_samples, out_samples;
    int read_returns, write_returns, progress_returns;
    double share;
} Memory;

static int read_lines(void *user, int64_t first_line, int64_t lines, int64_t first_sample, int64_t samples, float *out,
                      int64_t stride)
{
    const Memory *m = user;
    int64_t r;
    for (r = 0; r < lines; ++r)
        memcpy(out + 2 * r * stride, m->echoes + 2 * ((first_line + r) * m->in_samples + first_sample),
               2 * (size_t)samples * sizeof *out);
    return m->read_returns;
}

static int write_lines(void *user, int64_t first_line, int64_t lines, int64_t first_sample, int64_t samples,
                       const float *block, int64_t stride)
{
    const Memory *m = user;
    int64_t r;
    for (r = 0; r < lines; ++r)
        memcpy(m->image + 2 * ((first_line + r) * m->out_samples + first_sample), block + 2 * r * stride,
               2 * (size_t)samples * sizeof *block);
    return m->write_returns;
}

static int take_share(void *user, double share)
{
    Memory *m = user;
    m->share = share;
    return m->progress_returns;
}

static void runs(void)
{
    const sidelook_acquisition a = sound();
    sidelook_focus *focus = NULL;
    sidelook_grid grid;
    Memory m = {NULL, NULL, 0, 0, 0, 0, 0, 0};
    float *echoes, *image, *again;
    int64_t bytes = 0;
    size_t n, in, out;
    uint32_t state = 1;

    expect("NULL focus to create", sidelook_focus_create(&a, NULL, NULL), SIDELOOK_BAD_INPUT, "focus");
    expect("create", sidelook_focus_create(&a, NULL, &focus), SIDELOOK_OK, NULL);
    if (!focus) return;
    grid.struct_size = 0;
    expect("struct_size 0 of grid", sidelook_focus_grid(focus, &grid), SIDELOOK_BAD_INPUT, "struct_size");
    grid.struct_size = sizeof grid;
    expect("NULL focus to grid", sidelook_focus_grid(NULL, &grid), SIDELOOK_BAD_INPUT, "focus");
    expect("NULL grid", sidelook_focus_grid(focus, NULL), SIDELOOK_BAD_INPUT, "grid");
    expect("grid", sidelook_focus_grid(focus, &grid), SIDELOOK_OK, NULL);
    expect("NULL bytes", sidelook_focus_bytes(focus, NULL), SIDELOOK_BAD_INPUT, "bytes");
    expect("bytes", sidelook_focus_bytes(focus, &bytes), SIDELOOK_OK, NULL);
    expect_true("bytes are more than none", bytes > 0);

    in = 2 * (size_t)a.pulses * (size_t)a.samples;
    out = 2 * (size_t)grid.lines * (size_t)grid.samples;
    echoes = malloc(in * sizeof *echoes);
    image = calloc(out, sizeof *image);
    again = calloc(out, sizeof *again);
    if (!echoes || !image || !again) abort();
    for (n = 0; n < in; ++n) { /* noise: a linear congruential generator (Numerical Recipes' constants) */
        state = 1664525u * state + 1013904223u;
        echoes[n] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    expect("NULL echoes", sidelook_focus_memory(focus, NULL, image), SIDELOOK_BAD_INPUT, "echoes");
    expect("NULL image", sidelook_focus_memory(focus, echoes, NULL), SIDELOOK_BAD_INPUT, "image");
    expect("image over echoes", sidelook_focus_memory(focus, echoes, echoes), SIDELOOK_BAD_INPUT, "image");
    expect("NULL read", sidelook_focus_run(focus, NULL, write_lines, NULL, &m), SIDELOOK_BAD_INPUT, "read");
    expect("NULL write", sidelook_focus_run(focus, read_lines, NULL, NULL, &m), SIDELOOK_BAD_INPUT, "write");

    m.echoes = echoes, m.image = again;
    m.in_samples = a.samples, m.out_samples = grid.samples;
    m.read_returns = 7;
    expect("read stops", sidelook_focus_run(focus, read_lines, write_lines, take_share, &m), SIDELOOK_FAILURE,
           "read callback returned 7");
    m.read_returns = 0, m.write_returns = -1;
    expect("write stops", sidelook_focus_run(focus, read_lines, write_lines, take_share, &m), SIDELOOK_FAILURE,
           "write callback returned -1");
    m.write_returns = 0, m.progress_returns = 1;
    expect("progress stops", sidelook_focus_run(focus, read_lines, write_lines, take_share, &m), SIDELOOK_FAILURE,
           "progress callback returned 1");
    m.progress_returns = 0;
    memset(again, 0, out * sizeof *again);

    /* After refusals and stops the plan still works, and both ways to run give the same bits. */
    expect("run", sidelook_focus_run(focus, read_lines, write_lines, take_share, &m), SIDELOOK_OK, NULL);
    expect_true("progress ends at 1", m.share == 1);
    expect("run in memory", sidelook_focus_memory(focus, echoes, image), SIDELOOK_OK, NULL);
    expect_true("both images are equal", memcmp(image, again, out * sizeof *image) == 0);
    for (n = 0; n < out && !(image[n] != 0 && image[n] == image[n]); ++n) continue;
    expect_true("and not empty", n < out);
    free(echoes);
    free(image);
    free(again);
    sidelook_focus_destroy(focus);
    sidelook_focus_destroy(NULL);
}

int main(void)
{
    refuse_acquisitions();
    refuse_options();
    runs();
    printf("%d failed\n", failures);
    return failures;
}
