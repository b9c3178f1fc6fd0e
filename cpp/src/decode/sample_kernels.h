// The inner loops of decoding, compiled for each instruction set. Symbols are octets, sign * 16 + magnitude. Everything
// they read ends with padding: `slack` octets that may be read and mean nothing.
#pragma once

#include <cstdint>

#include "core/isa.h"
#include "decode/tables.h"

namespace sidelook::sentinel1
{

constexpr int block_quads = 128;     ///< of a BAQ block: 256 samples
constexpr std::int64_t slack = 256;  ///< a block of the longest code words is 160 octets

/// A run of code words on its way to symbols.
struct CodeStream {
    const std::uint8_t *data = nullptr;
    std::int64_t bit = 0;  ///< where the next code word begins
    const CodeBook *book = nullptr;
    std::uint8_t *symbols = nullptr;  ///< room for n, and 8 more
    std::int64_t n = 0;
};

}  // namespace sidelook::sentinel1

namespace sidelook
{

SIDELOOK_FOR_EACH_ISA(
    /// Unpacks one stream or two, whose bit is where they end afterwards. A look-up waits for the one before it, so
    /// that two streams take hardly longer than one.
    void unpack_code_words(sentinel1::CodeStream *streams, int count);
    /// n symbols of `bits` = 3, 4 or 5 bits from an octet on. `symbols` has room for 8 more.
    void unpack_fixed(const std::uint8_t *data, int bits, std::uint8_t *symbols, std::int64_t n);
    /// Symbols of a block of n quads to 2 n complex samples, even and odd in turn.
    void reconstruct(const std::uint8_t *ie, const std::uint8_t *io, const std::uint8_t *qe, const std::uint8_t *qo,
                     const sentinel1::Levels &levels, float *out, std::int64_t n);
    /// n samples of 10 bits, sign and magnitude, to floats `stride` apart.
    void unpack_bypass(const std::uint8_t *data, float *out, std::int64_t stride, std::int64_t n);)

}  // namespace sidelook
