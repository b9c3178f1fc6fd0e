/* The C interface (C99): focusing for programs in any language, on memory that the caller owns. docs/embedding.md has
 * the tour.
 *
 * Conventions are those of acquisition.h and focus.h, which say more about every field: seconds after epoch_utc, Hz,
 * metres, Earth-fixed frame (ECEF, WGS84). Complex samples are pairs of float, real part first.
 *
 * Every call that returns sidelook_status leaves one sentence for sidelook_last_error() when it fails. Structures that
 * may grow begin with struct_size, sizeof of the structure as the caller was compiled; another size is refused. */
#ifndef SIDELOOK_SIDELOOK_H
#define SIDELOOK_SIDELOOK_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SIDELOOK_API __attribute__((visibility("default")))
#else
#define SIDELOOK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The same values as the exit codes of the command line. */
typedef enum sidelook_status {
    SIDELOOK_OK = 0,
    SIDELOOK_FAILURE = 1,           /* the library or the system failed, or a callback stopped the run */
    SIDELOOK_USAGE = 2,             /* command line only */
    SIDELOOK_BAD_INPUT = 3,         /* an argument breaks a rule */
    SIDELOOK_MISSING_AUXILIARY = 4, /* something that was asked for is not there */
    SIDELOOK_OVER_MEMORY = 5        /* the work does not fit the memory allowed, or memory ran out */
} sidelook_status;

typedef enum sidelook_window {
    SIDELOOK_WINDOW_RECTANGULAR = 0, /* no parameter */
    SIDELOOK_WINDOW_HAMMING = 1,     /* alpha, 0.5 to 1 */
    SIDELOOK_WINDOW_KAISER = 2,      /* beta, 0 to 20 */
    SIDELOOK_WINDOW_TAYLOR = 3       /* side lobe level (dB), 15 to 60 */
} sidelook_window;

/* Elements of arrays: these two never grow and have no struct_size. Vectors are x, y, z. */
typedef struct sidelook_state_vector {
    double time_s;
    double position_m[3];
    double velocity_m_per_s[3];
} sidelook_state_vector;

typedef struct sidelook_antenna_frame {
    double time_s;
    double azimuth_axis[3]; /* unit vector along the antenna's length */
    double boresight[3];    /* unit vector along the centre of the beam, perpendicular to azimuth_axis */
} sidelook_antenna_frame;

/* What the radar did. Arrays and strings are copied by sidelook_focus_create; a count of 0 goes with any pointer. */
typedef struct sidelook_acquisition {
    size_t struct_size;
    const char *sensor;    /* NULL: unknown */
    const char *epoch_utc; /* ISO 8601; NULL: unknown */
    double carrier_hz;
    double prf_hz;
    double first_pulse_time_s; /* transmission of the centre of pulse 0 */
    int64_t pulses;
    int64_t samples;
    double sample_rate_hz;
    double first_sample_delay_s; /* from the pulse's centre to sample 0 */
    double chirp_rate_hz_per_s;  /* negative for a down-chirp */
    double chirp_duration_s;
    int32_t look_side; /* -1 left, 1 right */
    double terrain_height_m;
    const sidelook_state_vector *orbit;
    size_t orbit_count;                /* 0: unknown, then effective_velocity_m_per_s is needed; else at least 4 */
    double effective_velocity_m_per_s; /* 0: unknown */
    double antenna_azimuth_length_m;   /* 0: unknown, the pattern is taken as flat */
    double antenna_elevation_length_m; /* 0: unknown, the pattern is taken as flat */
    const sidelook_antenna_frame *antenna_frames;
    size_t antenna_frame_count;
    const double *doppler_centroid_hz; /* coefficients over (delay - first_sample_delay_s), constant first; needed */
    size_t doppler_centroid_count;
    double doppler_drift_hz_per_s;
} sidelook_acquisition;

typedef struct sidelook_focus_options {
    size_t struct_size;
    double doppler_bandwidth_hz;  /* 0: 0.7 PRF */
    double range_bandwidth_hz;    /* 0: the chirp's */
    int32_t azimuth_window_shape; /* a sidelook_window */
    double azimuth_window_parameter;
    int32_t range_window_shape; /* a sidelook_window */
    double range_window_parameter;
    int32_t equalise_antenna; /* 0: leave the azimuth pattern in */
    double minimum_exposure;  /* 0.5 to 1; pixels with less are NaN */
    int64_t block_lines;      /* 0: chosen from the memory allowed */
    int64_t strip_samples;    /* 0: chosen from the memory allowed */
    int64_t max_bytes;        /* that a run may use, with base_bytes; 0: no bound */
    int64_t base_bytes;       /* that the process holds already and that max_bytes must cover too */
    int32_t threads;          /* 0: all that the process may run on */
} sidelook_focus_options;

/* Line i of the image lies at first_line_time_s + i line_spacing_s (zero Doppler), sample j at
 * first_slant_range_m + j sample_spacing_m: centres of pixels. The arrays have `samples` values each and belong to the
 * sidelook_focus they came from. */
typedef struct sidelook_grid {
    size_t struct_size;
    int64_t lines, samples;
    double first_line_time_s, line_spacing_s;
    double first_slant_range_m, sample_spacing_m;
    const int64_t *valid_first_line;     /* lines [valid_first_line[j], valid_end_line[j]) of sample j are exposed; */
    const int64_t *valid_end_line;       /* the others are NaN */
    const double *doppler_centroid_hz;   /* absolute */
    const double *range_spectrum_centre; /* cycles a sample */
    double doppler_bandwidth_hz, range_bandwidth_hz;
    double effective_velocity_m_per_s;
} sidelook_grid;

/* A planned focusing. Plans are independent of each other; one plan is run by one thread at a time. */
typedef struct sidelook_focus sidelook_focus;

/* Fills `out` with `lines` x `samples` complex echoes from pulse first_line and sample first_sample on, consecutive
 * lines `stride` complex samples apart. Called from a thread of its own, in ascending order of lines, once a strip. */
typedef int (*sidelook_read)(void *user, int64_t first_line, int64_t lines, int64_t first_sample, int64_t samples,
                             float *out, int64_t stride);
/* Takes finished pixels, laid out likewise; `block` is good during the call only. Called from another thread of its
 * own. */
typedef int (*sidelook_write)(void *user, int64_t first_line, int64_t lines, int64_t first_sample, int64_t samples,
                              const float *block, int64_t stride);
/* Hears the share done, 0 to 1, in the thread that called sidelook_focus_run. */
typedef int (*sidelook_progress)(void *user, double share);

/* "major.minor.patch" */
SIDELOOK_API const char *sidelook_version(void);

/* Why the latest call of this thread failed, in one sentence; "" after one that did not. Good until this thread's next
 * call. */
SIDELOOK_API const char *sidelook_last_error(void);

/* Zeros, struct_size, and looking right. `struct_size` is sizeof(sidelook_acquisition). */
SIDELOOK_API sidelook_status sidelook_acquisition_init(sidelook_acquisition *acquisition, size_t struct_size);

/* The defaults of FocusOptions in focus.h. `struct_size` is sizeof(sidelook_focus_options). */
SIDELOOK_API sidelook_status sidelook_focus_options_init(sidelook_focus_options *options, size_t struct_size);

/* Checks everything and lays the work out; `options` may be NULL for the defaults. BAD_INPUT for a rule broken,
 * OVER_MEMORY if max_bytes cannot hold one block; *focus is then NULL. */
SIDELOOK_API sidelook_status sidelook_focus_create(const sidelook_acquisition *acquisition,
                                                   const sidelook_focus_options *options, sidelook_focus **focus);

/* The image's grid; set grid->struct_size before. */
SIDELOOK_API sidelook_status sidelook_focus_grid(const sidelook_focus *focus, sidelook_grid *grid);

/* Bytes that a run allocates. */
SIDELOOK_API sidelook_status sidelook_focus_bytes(const sidelook_focus *focus, int64_t *bytes);

/* Focuses what `read` gives into `write`. `progress` may be NULL; `user` is handed to all three. A callback that
 * returns anything but 0 stops the run: FAILURE. */
SIDELOOK_API sidelook_status sidelook_focus_run(sidelook_focus *focus, sidelook_read read, sidelook_write write,
                                                sidelook_progress progress, void *user);

/* Focuses `echoes` (pulses x samples complex) into `image` (grid lines x samples complex), both without gaps between
 * lines and apart from each other. */
SIDELOOK_API sidelook_status sidelook_focus_memory(sidelook_focus *focus, const float *echoes, float *image);

/* Frees the plan; NULL is fine. */
SIDELOOK_API void sidelook_focus_destroy(sidelook_focus *focus);

#ifdef __cplusplus
}
#endif

#endif
