// Inner loops of decoding; see sample_kernels.h. Compiled once for each instruction set.
#include "decode/sample_kernels.h"

#include <cstring>

#include "core/simd.h"

namespace sidelook::SIDELOOK_ISA
{
namespace
{

using sentinel1::code_window;
using sentinel1::CodeBook;
using sentinel1::CodeStream;

/// 64 bits from a bit on, of which the last 7 may be missing. Octets are big-endian.
inline std::uint64_t bits_at(const std::uint8_t *data, std::int64_t bit)
{
    std::uint64_t v;
    std::memcpy(&v, data + (bit >> 3), 8);
    return __builtin_bswap64(v) << (bit & 7);
}

/// A stream in registers.
struct Cursor {
    const std::uint8_t *data;
    std::int64_t bit;
    const CodeBook *book;
    std::uint8_t *symbols, *end;
    std::uint64_t next = 0;

    explicit Cursor(const CodeStream &s)
        : data(s.data), bit(s.bit), book(s.book), symbols(s.symbols), end(s.symbols + s.n)
    {
    }
    bool room(int most) const { return end - symbols >= most; }
    void refill() { next = bits_at(data, bit); }
    void take_many()  // up to 6
    {
        const std::uint64_t entry = book->many[next >> (64 - code_window)];
        std::memcpy(symbols, &entry, 8);
        symbols += entry >> 48 & 15;
        next <<= entry >> 56;
        bit += static_cast<std::int64_t>(entry >> 56);
    }
    void take_one()
    {
        const unsigned entry = book->one[next >> 54];
        *symbols++ = entry & 31;
        next <<= entry >> 8;
        bit += entry >> 8;
    }
    void take_rest()
    {
        while (room(6)) {
            refill();
            for (int k = 0; k < 4 && room(6); ++k) take_many();  // 48 of the 57 bits that are there
        }
        while (room(1)) {
            refill();
            for (int k = 0; k < 5 && room(1); ++k) take_one();  // 50 bits
        }
    }
};

template <int count> void unpack_together(CodeStream *streams)
{
    Cursor a(streams[0]), b(streams[count - 1]);
    while (a.room(24) && (count == 1 || b.room(24))) {
        a.refill();
        if (count == 2) b.refill();
        for (int k = 0; k < 4; ++k) {
            a.take_many();
            if (count == 2) b.take_many();
        }
    }
    a.take_rest();
    streams[0].bit = a.bit;
    if (count == 2) {
        b.take_rest();
        streams[1].bit = b.bit;
    }
}

/// A magnitude with the sign of its symbol.
inline float signed_level(const float *magnitude, unsigned symbol)
{
    std::uint32_t v;
    std::memcpy(&v, magnitude + (symbol & 15), 4);
    v ^= (symbol & 16) << 27;
    float f;
    std::memcpy(&f, &v, 4);
    return f;
}

void reconstruct_quads(const std::uint8_t *ie, const std::uint8_t *io, const std::uint8_t *qe, const std::uint8_t *qo,
                       const float *magnitude, float *out, std::int64_t n)
{
    float both[32];  // by symbol: no sign to put in, and the table stays in the nearest cache
    for (unsigned s = 0; s < 32; ++s) both[s] = signed_level(magnitude, s);
    for (std::int64_t i = 0; i < n; ++i) {
        out[4 * i] = both[ie[i]];
        out[4 * i + 1] = both[qe[i]];
        out[4 * i + 2] = both[io[i]];
        out[4 * i + 3] = both[qo[i]];
    }
}

#if defined(__AVX512F__)

constexpr std::int64_t quads_at_once = 16;

inline __m512 look_up(const std::uint8_t *symbols, __m512 magnitude)
{
    // maskz: GCC 12 takes the plain form's unused operand for uninitialised
    const __m512i s = _mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i *>(symbols)));
    const __m512i sign = _mm512_and_si512(_mm512_slli_epi32(s, 27), _mm512_set1_epi32(static_cast<int>(0x80000000u)));
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(_mm512_permutexvar_ps(s, magnitude)), sign));
}

inline void reconstruct_some(const std::uint8_t *ie, const std::uint8_t *io, const std::uint8_t *qe,
                             const std::uint8_t *qo, const float *levels, float *out)
{
    const __m512 magnitude = _mm512_loadu_ps(levels);
    const __m512 a = look_up(ie, magnitude), b = look_up(qe, magnitude), c = look_up(io, magnitude),
                 d = look_up(qo, magnitude);
    // Pairs within lanes, then pairs of pairs, then the four quarters of 128 bits put in order.
    const __m512d e0 = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), e1 = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
    const __m512d o0 = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)), o1 = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    const __m512d q0 = _mm512_unpacklo_pd(e0, o0), q1 = _mm512_unpackhi_pd(e0, o0), q2 = _mm512_unpacklo_pd(e1, o1),
                  q3 = _mm512_unpackhi_pd(e1, o1);
    const __m512d r0 = _mm512_shuffle_f64x2(q0, q1, 0x44), r1 = _mm512_shuffle_f64x2(q2, q3, 0x44),
                  r2 = _mm512_shuffle_f64x2(q0, q1, 0xee), r3 = _mm512_shuffle_f64x2(q2, q3, 0xee);
    _mm512_storeu_ps(out, _mm512_castpd_ps(_mm512_shuffle_f64x2(r0, r1, 0x88)));
    _mm512_storeu_ps(out + 16, _mm512_castpd_ps(_mm512_shuffle_f64x2(r0, r1, 0xdd)));
    _mm512_storeu_ps(out + 32, _mm512_castpd_ps(_mm512_shuffle_f64x2(r2, r3, 0x88)));
    _mm512_storeu_ps(out + 48, _mm512_castpd_ps(_mm512_shuffle_f64x2(r2, r3, 0xdd)));
}

#elif defined(__AVX2__)

constexpr std::int64_t quads_at_once = 8;

inline __m256 look_up(const std::uint8_t *symbols, __m256 low, __m256 high)
{
    const __m256i s = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(symbols)));
    const __m256i sign = _mm256_and_si256(_mm256_slli_epi32(s, 27), _mm256_set1_epi32(static_cast<int>(0x80000000u)));
    const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(s, 28));  // bit 3: the upper eight magnitudes
    const __m256 v = _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, s), _mm256_permutevar8x32_ps(high, s), upper);
    return _mm256_xor_ps(v, _mm256_castsi256_ps(sign));
}

inline void reconstruct_some(const std::uint8_t *ie, const std::uint8_t *io, const std::uint8_t *qe,
                             const std::uint8_t *qo, const float *levels, float *out)
{
    const __m256 low = _mm256_loadu_ps(levels), high = _mm256_loadu_ps(levels + 8);
    const __m256 a = look_up(ie, low, high), b = look_up(qe, low, high), c = look_up(io, low, high),
                 d = look_up(qo, low, high);
    const __m256d e0 = _mm256_castps_pd(_mm256_unpacklo_ps(a, b)), e1 = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
    const __m256d o0 = _mm256_castps_pd(_mm256_unpacklo_ps(c, d)), o1 = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
    const __m256 q0 = _mm256_castpd_ps(_mm256_unpacklo_pd(e0, o0)), q1 = _mm256_castpd_ps(_mm256_unpackhi_pd(e0, o0)),
                 q2 = _mm256_castpd_ps(_mm256_unpacklo_pd(e1, o1)), q3 = _mm256_castpd_ps(_mm256_unpackhi_pd(e1, o1));
    _mm256_storeu_ps(out, _mm256_permute2f128_ps(q0, q1, 0x20));
    _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(q2, q3, 0x20));
    _mm256_storeu_ps(out + 16, _mm256_permute2f128_ps(q0, q1, 0x31));
    _mm256_storeu_ps(out + 24, _mm256_permute2f128_ps(q2, q3, 0x31));
}

#endif

}  // namespace

void unpack_code_words(CodeStream *streams, int count)
{
    if (count == 2)
        unpack_together<2>(streams);
    else
        unpack_together<1>(streams);
}

void unpack_fixed(const std::uint8_t *data, int bits, std::uint8_t *symbols, std::int64_t n)
{
    const unsigned sign = 1u << (bits - 1), magnitude = sign - 1;
    for (std::int64_t i = 0; i < n; i += 8, data += bits) {  // eight at a time take `bits` octets
        const std::uint64_t next = bits_at(data, 0);
        for (int k = 0; k < 8; ++k) {
            const unsigned code = static_cast<unsigned>(next >> (64 - bits * (k + 1)));
            symbols[i + k] = static_cast<std::uint8_t>((code & magnitude) | (code & sign) << (5 - bits));
        }
    }
}

void reconstruct(const std::uint8_t *ie, const std::uint8_t *io, const std::uint8_t *qe, const std::uint8_t *qo,
                 const sentinel1::Levels &levels, float *out, std::int64_t n)
{
    std::int64_t i = 0;
#if defined(__AVX2__)
    for (; i + quads_at_once <= n; i += quads_at_once)
        reconstruct_some(ie + i, io + i, qe + i, qo + i, levels.magnitude, out + 4 * i);
#endif
    if (i < n) reconstruct_quads(ie + i, io + i, qe + i, qo + i, levels.magnitude, out + 4 * i, n - i);
}

void unpack_bypass(const std::uint8_t *data, float *out, std::int64_t stride, std::int64_t n)
{
    for (std::int64_t i = 0; i < n; ++i) {
        const unsigned code = static_cast<unsigned>(bits_at(data, 10 * i) >> 54);
        const float magnitude = static_cast<float>(code & 511);
        out[i * stride] = code & 512 ? -magnitude : magnitude;
    }
}

}  // namespace sidelook::SIDELOOK_ISA
