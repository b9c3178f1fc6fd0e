// What the kernels look up: code books and reconstruction levels, made once from the standard's tables.
#pragma once

#include <cstdint>

#include "sidelook/decode.h"

namespace sidelook::sentinel1
{

constexpr int code_window = 12;  ///< bits looked up at once: 32 KiB a book, which stays in the caches

/// Symbols are sign * 16 + magnitude.
struct CodeBook {
    /// Up to 6 symbols of the next 12 bits, an octet each; how many in bits 48 on, the bits they take in bits 56 on.
    std::uint64_t many[1 << code_window];
    std::uint16_t one[1024];  ///< a symbol of the next 10 bits, and from bit 8 on the bits it takes
};
const CodeBook &code_book(int bit_rate_code);

/// Magnitudes of the codes, in single precision rounded from double: what the standard's own products hold.
struct alignas(64) Levels {
    float magnitude[16] = {};
};
const Levels *fdbaq_levels(int bit_rate_code);  ///< [threshold index]
const Levels *baq_levels(int bits);             ///< the same, for 3, 4, 5 bits

double front_end_temperature_c(int code);

}  // namespace sidelook::sentinel1
