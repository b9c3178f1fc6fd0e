// Streams lines from a source through a chain of stages into a sink, block by block: reading, computing and writing
// overlap, every line of every stage is computed once, and memory depends on the blocks and reaches, not on the scene.
#pragma once

#include <functional>
#include <vector>

#include "core/stage.h"

namespace sidelook
{

struct Source {
    Interval lines;  ///< that exist
    /// Fills `out` with these lines and samples. Called from a thread of its own, in ascending order of lines.
    std::function<void(Interval lines, Interval samples, AnyView out)> read;
};

struct Sink {
    /// Takes finished lines. Called from a thread of its own, in ascending order of lines.
    std::function<void(Interval lines, Interval samples, AnyView block)> write;
};

struct StageTime {
    const char *name;
    double seconds = 0;      ///< wall time in which the stage computed
    std::int64_t bytes = 0;  ///< largest memory held for it: its input lines and its workspace
};

struct RunOptions {
    Interval samples_in;             ///< of the source's lines, for the first stage
    Interval samples_out;            ///< name of the last stage's samples, for the sink
    std::int64_t block_lines = 0;    ///< lines of the last stage computed and written at once
    std::int64_t chunk_lines = 256;  ///< lines read, and lines of the other stages computed, at once
    int threads = 1;
    /// Called from the calling thread between pieces of work, with the share done; may throw to stop the run.
    std::function<void(double)> progress;
};

/// Runs `stages`, the output of each being the input of the next, over all lines of the last one's grid. Throws what a
/// stage, the source, the sink or `progress` throws, after its threads have stopped. `times` has one entry a stage and
/// is added to.
void run_chain(const Source &source, const std::vector<const Stage *> &stages, const Sink &sink,
               const RunOptions &options, std::vector<StageTime> &times);

/// Bytes that run_chain holds at most for a source of these lines.
std::int64_t chain_bytes(Interval source_lines, const std::vector<const Stage *> &stages, const RunOptions &options);

}  // namespace sidelook
