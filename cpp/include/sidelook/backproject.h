// Exact time-domain focusing (backprojection) of stripmap echoes, onto the grid of FocusPlan or at given points of the
// Earth, without the stop-and-go approximation. docs/backprojection.md has the method and its error bound.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sidelook/focus.h"

namespace sidelook
{

/// A planned backprojection: everything is checked, laid out and sized; run() only reads, computes and writes.
/// Of FocusOptions everything holds but strip_samples and device cuda, which are refused.
class BackprojectPlan
{
public:
    /// `points`: lines of 3 x samples ECEF coordinates (m), NaN where there is none; they must outlive the plan.
    /// Without rows the pixels are those of FocusPlan's grid. Throws as FocusPlan does; the acquisition must have an
    /// orbit.
    BackprojectPlan(const Acquisition &acquisition, const FocusOptions &options, View2<const double> points);
    ~BackprojectPlan();
    BackprojectPlan(BackprojectPlan &&) noexcept;

    const SlcGrid &grid() const;  ///< of the scene; its lines and samples are the image's only without points
    std::int64_t lines() const;
    std::int64_t samples() const;
    std::int64_t block_lines() const;
    std::int64_t bytes() const;   ///< that run() allocates
    double pixel_pulses() const;  ///< pixels times the pulses that each sums, about

    /// As FocusPlan's; `writer` gets whole lines.
    void run(const EchoReader &reader, const SlcWriter &writer, const EchoCorrections &corrections,
             const std::function<void(double)> &progress, std::vector<StageReport> &report) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace sidelook
