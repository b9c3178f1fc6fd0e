// Inner loop of the scene simulator; see deposit.h. Compiled once for each instruction set.
#include "simulate/deposit.h"

#include <math.h>

#include "core/simd.h"

namespace sidelook::SIDELOOK_ISA
{
namespace
{

constexpr double c = 299792458.0;
constexpr int batch = 128;

struct Batch {
    double delay[batch], doppler[batch];
    float azimuth[batch], elevation[batch], cycles[batch], scale[batch];
    float row_part[batch], bin_part[batch], off[batch];
    std::int32_t row0[batch], bin0[batch];
    float re[deposit_nodes][batch], im[deposit_nodes][batch];
};

/// Delay and its rate of the pulse sent at time 0: transmission at 0, reflection at s1, reception at s2, each leg by
/// one Newton step from a start that is right to v/c, which leaves (v/c)^2 D v^2/(2 R c) < 1e-20 s.
inline void geometry(const DepositBlock &b, const DepositChunk &k, std::int64_t first, int n, Batch &o)
{
    // Everything in locals: the loop is written for the compiler to vectorise, and stores must not seem to change
    // inputs.
    const double px = k.p[0], py = k.p[1], pz = k.p[2], ex = k.p_earth[0], ey = k.p_earth[1], unit = k.unit;
    const double spin = b.spin, half_spin2 = 0.5 * b.spin * b.spin, w0 = k.w[0], w1 = k.w[1], w2 = k.w[2];
    const double v0 = b.v[0], v1 = b.v[1], v2 = b.v[2], a0 = b.a2[0], a1 = b.a2[1], a2 = b.a2[2];
    const double j0 = b.j6[0], j1 = b.j6[1], j2 = b.j6[2], carrier = b.carrier_hz;
    const double az0 = b.azimuth_axis[0], az1 = b.azimuth_axis[1], az2 = b.azimuth_axis[2];
    const double el0 = b.elevation_axis[0], el1 = b.elevation_axis[1], el2 = b.elevation_axis[2];
    const std::int32_t *__restrict xs = k.x + first, *__restrict ys = k.y + first, *__restrict zs = k.z + first;
    double *__restrict delay = o.delay, *__restrict doppler = o.doppler;
    float *__restrict azimuth = o.azimuth, *__restrict elevation = o.elevation, *__restrict cycles = o.cycles;
    for (int i = 0; i < n; ++i) {
        const double dx = unit * xs[i], dy = unit * ys[i], dz = unit * zs[i];
        const double rx = px + dx, ry = py + dy, rz = pz + dz;
        const double gx = ex + dx, gy = ey + dy;
        // point: velocity w + spin x p, half its acceleration spin x w + spin x (spin x p) / 2
        const double ux = w0 - spin * gy, uy = w1 + spin * gx, uz = w2;
        const double qx = -spin * w1 - half_spin2 * gx, qy = spin * w0 - half_spin2 * gy;
        const double start = sqrt(rx * rx + ry * ry + rz * rz) * (1.0 / c);
        // leg out
        const double ox = rx + start * (ux + start * qx), oy = ry + start * (uy + start * qy), oz = rz + start * uz;
        const double out2 = ox * ox + oy * oy + oz * oz, out = sqrt(out2), inv_out = 1.0 / out;
        const double toward = (ox * ux + oy * uy + oz * uz) * inv_out;
        const double s1 = start + (out - c * start) / (c - toward);
        // point at the reflection, then the leg back
        const double mx = rx + s1 * (ux + s1 * qx), my = ry + s1 * (uy + s1 * qy), mz = rz + s1 * uz;
        const double vx = ux + 2 * s1 * qx, vy = uy + 2 * s1 * qy, vz = uz;
        const double t = 2 * s1;
        const double bx = mx - t * (v0 + t * (a0 + t * j0));
        const double by = my - t * (v1 + t * (a1 + t * j1));
        const double bz = mz - t * (v2 + t * (a2 + t * j2));
        const double wx = v0 + t * (2 * a0 + 3 * t * j0);
        const double wy = v1 + t * (2 * a1 + 3 * t * j1);
        const double wz = v2 + t * (2 * a2 + 3 * t * j2);
        const double back = sqrt(bx * bx + by * by + bz * bz), inv_back = 1.0 / back;
        const double away = (bx * wx + by * wy + bz * wz) * inv_back;  // of the platform, towards the point
        const double s2 = t + (back - c * s1) / (c + away);
        // rates: c s1' = n1 . (u (1 + s1') - v),  c (s2' - s1') = n2 . (u (1 + s1') - w (1 + s2'))
        const double n1u = (ox * vx + oy * vy + oz * vz) * inv_out, n1v = (ox * v0 + oy * v1 + oz * v2) * inv_out;
        const double rate1 = (n1u - n1v) / (c - n1u);
        const double n2u = (bx * vx + by * vy + bz * vz) * inv_back;
        const double rate = (c * rate1 + n2u * (1 + rate1) - away) / (c + away);
        delay[i] = s2;
        doppler[i] = -carrier * rate;
        // direction from the platform at the reflection: the mean of both legs, short by (v D / 4 R)^2 = 1e-10
        const double nx = 0.5 * (ox * inv_out + bx * inv_back), ny = 0.5 * (oy * inv_out + by * inv_back);
        const double nz = 0.5 * (oz * inv_out + bz * inv_back);
        azimuth[i] = (float)(nx * az0 + ny * az1 + nz * az2);
        elevation[i] = (float)(nx * el0 + ny * el1 + nz * el2);
        const double turns = carrier * s2;
        cycles[i] = (float)((double)(std::int32_t)turns - turns);  // the phase is minus the delay's
    }
    const double reference = b.reference_range_m * 2 / c;
    for (int i = 0; i < n; ++i) {
        const double ratio = reference / o.delay[i];
        o.scale[i] = b.reference_range_m > 0 ? (float)(ratio * ratio) : 1.0f;
    }
}

/// Cells and fractions. What lies off the grid gets the nearest cell and off != 0.
inline void cells(const DepositBlock &b, int n, Batch &o)
{
    const double last_row = (double)(b.rows - deposit_taps - 1), last_bin = (double)(b.bins - deposit_pad - 1);
    const double first = b.first_delay_s, per_s = b.rows_per_s, mean = b.centre_doppler_hz, per_hz = b.bins_per_hz;
    const double centre = b.centre_bin;
    for (int i = 0; i < n; ++i) {
        const double row = (o.delay[i] - first) * per_s - 0.5 * deposit_taps;
        const double bin = (o.doppler[i] - mean) * per_hz + centre - 0.5 * deposit_taps;
        double r = row > 0 ? row : 0, f = bin > 0 ? bin : 0;
        r = r < last_row ? r : last_row;
        f = f < last_bin ? f : last_bin;
        const std::int32_t r0 = (std::int32_t)r, f0 = (std::int32_t)f;
        o.off[i] = (float)((row - r) * (row - r) + (bin - f) * (bin - f));
        o.row_part[i] = (float)(1.0 + r0 - r);  // of the first tap, beyond the kernel's edge, in (0, 1]
        o.bin_part[i] = (float)(1.0 + f0 - f);
        o.row0[i] = r0 + 1;
        o.bin0[i] = f0 + 1;
    }
}

inline vfloat abs_of(vfloat a) { return (vfloat)((vint)a & 0x7fffffff); }
inline vfloat choose(vint mask, vfloat a, vfloat b) { return (vfloat)(((vint)a & mask) | ((vint)b & ~mask)); }

/// sin(pi x) / (pi x); below 1e-3 that of 1e-3, which is 1 to 2e-6.
inline vfloat sinc(vfloat x)
{
    const vfloat y = choose(abs_of(x) < splat(1e-3f), splat(1e-3f), x);
    vfloat s, co;
    sincos_cycles(y * splat(0.5f), s, co);
    return s / (y * splat(3.14159265f));
}

/// Amplitude, phase and two-way beam at every node.
inline void values(const DepositBlock &b, const DepositChunk &k, const float *ar, const float *ai, int n, Batch &o)
{
    const vfloat limit = splat((float)b.beam_limit);
    for (int i = 0; i < n; i += simd_width) {
        vfloat s, co;
        sincos_cycles(load(o.cycles + i), s, co);
        const vfloat scale = load(o.scale + i), are = load(ar + i) * scale, aim = load(ai + i) * scale;
        const vfloat re = are * co - aim * s, im = are * s + aim * co;
        for (int g = 0; g < b.nodes; ++g) {
            const vfloat az = load(o.azimuth + i) + splat((float)(k.azimuth_rate * b.node_s[g]));
            const vfloat el = load(o.elevation + i) + splat((float)(k.elevation_rate * b.node_s[g]));
            const vfloat one = sinc(az) * sinc(el);
            const vint lit = (abs_of(az) < limit) & (abs_of(el) < limit);
            const vfloat two = choose(lit, one * one, splat(0.0f));
            vfloat r = re, m = im;
            if (k.turned) {
                vfloat sn, cn;
                sincos_cycles(splat(k.node_cycles[g]), sn, cn);
                r = re * cn - im * sn;
                m = re * sn + im * cn;
            }
            store(o.re[g] + i, r * two);
            store(o.im[g] + i, m * two);
        }
    }
}

}  // namespace

std::int64_t deposit(const DepositBlock &b, const DepositChunk &k)
{
    Batch o;
    float ar[batch], ai[batch];
    std::int64_t lit = 0;
    const std::int64_t node_stride = 2 * b.bins, row_stride = node_stride * b.nodes;
    for (std::int64_t first = 0; first < k.count; first += batch) {
        const int n = (int)(k.count - first < batch ? k.count - first : batch);
        geometry(b, k, first, n, o);
        cells(b, n, o);
        const float *a = (const float *)(k.amplitude + first);
        for (int i = 0; i < n; ++i) {
            ar[i] = a[2 * i];
            ai[i] = a[2 * i + 1];
        }
        for (int i = n; i < batch && i % simd_width; ++i)  // the last vector's idle lanes hold numbers, not rubbish
            ar[i] = ai[i] = o.cycles[i] = o.scale[i] = o.azimuth[i] = o.elevation[i] = 0;
        values(b, k, ar, ai, n, o);
        for (int i = 0; i < n; ++i) {
            float sum = 0;
            for (int g = 0; g < b.nodes; ++g) sum += fabsf(o.re[g][i]) + fabsf(o.im[g][i]);
            if (o.off[i] != 0 || sum == 0) continue;
            ++lit;
            const float place = o.row_part[i] * deposit_steps, place_b = o.bin_part[i] * deposit_steps;
            const int step = (int)place, step_b = (int)place_b;
            const float part = place - (float)step;
            const vfloat part_b = splat(place_b - (float)step_b);
            const float *low = b.row_table + step * 8, *low_b = b.bin_table + step_b * 16;
            vfloat weight[16 / simd_width];
            for (int j = 0; j < 16 / simd_width; ++j) {
                const vfloat l = load(low_b + j * simd_width);
                weight[j] = fma(part_b, load(low_b + 16 + j * simd_width) - l, l);
            }
            float *cell = b.grid + o.row0[i] * row_stride + 2 * o.bin0[i];
            float rows[deposit_taps];
            for (int r = 0; r < deposit_taps; ++r) rows[r] = low[r] + part * (low[8 + r] - low[r]);
            for (int g = 0; g < b.nodes; ++g) {
                vfloat value{};
                for (int j = 0; j < simd_width; j += 2) {
                    value[j] = o.re[g][i];
                    value[j + 1] = o.im[g][i];
                }
                vfloat add[16 / simd_width];
                for (int j = 0; j < 16 / simd_width; ++j) add[j] = value * weight[j];
                float *at = cell + g * node_stride;
                for (int r = 0; r < deposit_taps; ++r, at += row_stride)
                    for (int j = 0; j < 16 / simd_width; ++j)
                        store(at + j * simd_width, fma(splat(rows[r]), add[j], load(at + j * simd_width)));
            }
        }
    }
    return lit;
}

}  // namespace sidelook::SIDELOOK_ISA
