// correct_echoes: echoes -> echoes without I/Q bias, imbalance and gain steps, damaged lines silent. Sample by sample.
#pragma once

#include "core/stage.h"
#include "sidelook/focus.h"

namespace sidelook
{

class CorrectEchoes final : public LineStage<c64, c64>
{
public:
    CorrectEchoes(const EchoCorrections &corrections, std::int64_t samples);
    const char *name() const override { return "correct_echoes"; }
    std::int64_t samples_in() const override { return samples_; }
    std::int64_t samples_out() const override { return samples_; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return 0; }
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    EchoCorrections corrections_;
    std::int64_t samples_;
};

}  // namespace sidelook
