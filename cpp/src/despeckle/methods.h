// The speckle filters by name, what each may be told, and the constants that follow from it.
#pragma once

#include "despeckle/filter_strip.h"
#include "sidelook/despeckle.h"

namespace sidelook
{

/// A filter ready to be used.
struct Method {
    const char *name = nullptr;
    Filter filter = Filter::boxcar;
    int window = 0;
    SpeckleNumbers numbers;
    Distances distances;  ///< of frost
    float nodata = 0;
};

/// Fills in the defaults of `options`. Throws Error(bad_input) for what breaks a rule.
Method find_method(std::int64_t lines, std::int64_t samples, DespeckleOptions &options);

/// Squared coefficient of variation of speckle of so many looks: 1 / L of intensity. Of amplitude, the root of a gamma
/// distributed intensity, L Gamma(L)^2 / Gamma(L + 1/2)^2 - 1.
double speckle_variation(const std::string &kind, double looks);

}  // namespace sidelook
