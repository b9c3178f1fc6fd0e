// The scatterers of a scene, packed in chunks of neighbours: 20 bytes each.
#pragma once

#include <cstdint>
#include <vector>

#include "sidelook/simulate.h"

namespace sidelook::simulate
{

constexpr int chunk_capacity = 1024;
/// Offsets from a chunk's centre are kept in units of 2^-21 m (0.5 um): its rounding is 2e-4 rad of two-way phase at X
/// band.
constexpr double offset_unit_m = 1.0 / 2097152.0;
/// Farthest a scatterer may lie from its chunk's first one along each axis; 31 bits reach 1024 m.
constexpr double chunk_reach_m = 1000;

struct Chunk {
    Vec3 centre_m;          ///< ECEF, at reference_time_s
    Vec3 velocity_m_per_s;  ///< ECEF
    double reference_time_s = 0;
    double radius_m = 0;  ///< of the sphere about centre_m that holds all its scatterers
    std::int64_t begin = 0, count = 0;
};

/// Filled in order with add(); neighbours in space should follow each other, since a chunk ends where one strays.
class Scatterers
{
public:
    void reserve(std::size_t n);
    void add(const Target &target);
    /// Closes the last chunk; call before reading.
    void finish();
    /// Takes over the chunks of another, which is left empty.
    void append(Scatterers &other);
    /// Packs targets, ordered by cells of 256 m so that chunks are compact.
    static Scatterers pack(const std::vector<Target> &targets);

    std::vector<Chunk> chunks;
    std::vector<std::int32_t> x, y, z;  ///< offsets from the chunk's centre, offset_unit_m
    std::vector<c64> amplitude;

private:
    double radius2_ = 0;
};

/// Bytes of workspace that simulate_scatterers takes, and its other refusals.
std::int64_t scene_workspace_bytes(const Acquisition &acquisition, const Platform &platform,
                                   const EchoOptions &options);

/// See simulate.h: simulate_scene.
SceneReport simulate_scatterers(const Acquisition &acquisition, const Platform &platform, const Scatterers &scatterers,
                                const EchoOptions &options, View2<c64> out);

}  // namespace sidelook::simulate
