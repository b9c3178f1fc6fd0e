// Counter-based random numbers: Philox 4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC11. A number depends on (seed, stream, index) alone, so results do not depend on threads or order.
#pragma once

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>

namespace sidelook::simulate
{

/// Streams keep the uses of one seed apart.
enum class Stream : std::uint32_t {
    noise = 1,
    texture = 2,
    land_cover = 3,
    scatterer = 4,
    land = 5,
    ships = 6,
    town = 7
};

class Random
{
public:
    Random(std::uint64_t seed, Stream stream) : seed_(seed), stream_(static_cast<std::uint32_t>(stream)) {}

    /// Four independent 32-bit words for item (index, sub).
    std::array<std::uint32_t, 4> words(std::uint64_t index, std::uint32_t sub = 0) const
    {
        std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32), c2 = sub,
                      c3 = stream_;
        std::uint32_t k0 = static_cast<std::uint32_t>(seed_), k1 = static_cast<std::uint32_t>(seed_ >> 32);
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
            const std::uint32_t n0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
            const std::uint32_t n2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
            c1 = static_cast<std::uint32_t>(b);
            c3 = static_cast<std::uint32_t>(a);
            c0 = n0;
            c2 = n2;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        return {c0, c1, c2, c3};
    }

    /// Uniform in the open interval (0, 1).
    static double uniform(std::uint32_t word) { return (word + 0.5) * (1.0 / 4294967296.0); }

    /// Complex circular Gaussian with E|n|^2 = 1, by Box and Muller.
    static std::complex<double> normal(std::uint32_t radius_word, std::uint32_t angle_word)
    {
        const double r = std::sqrt(-std::log(uniform(radius_word)));
        const double angle = 6.283185307179586477 * uniform(angle_word);
        return {r * std::cos(angle), r * std::sin(angle)};
    }

private:
    std::uint64_t seed_;
    std::uint32_t stream_;
};

}  // namespace sidelook::simulate
