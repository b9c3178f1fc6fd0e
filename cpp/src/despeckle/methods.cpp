#include "despeckle/methods.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace sidelook
{
namespace
{

struct Entry {
    const char *name;
    Filter filter;
    bool looks;                  // must be told the number of looks
    bool intensity_only;         // its model is of intensity
    const char *compat;          // tools whose formula it can take
    double damping = not_given;  // its default; not_given: has none
};

const std::vector<Entry> &entries()
{
    static const std::vector<Entry> all = {
        {"boxcar", Filter::boxcar, false, false, "snap otb"},
        {"lee", Filter::lee, true, false, "snap otb"},
        {"kuan", Filter::kuan, true, false, "otb"},
        {"enhanced_lee", Filter::enhanced_lee, true, false, "", 1.0},
        {"gamma_map", Filter::gamma_map, true, true, "snap otb"},
    };
    return all;
}

const Entry &entry(const std::string &method)
{
    std::string names;
    for (const Entry &e : entries()) {
        if (method == e.name) return e;
        names += (names.empty() ? "" : ", ") + std::string(e.name);
    }
    throw Error(Code::bad_input, text("method is '", method, "'; must be one of ", names));
}

bool has_word(const std::string &words, const std::string &word)
{
    return (" " + words + " ").find(" " + word + " ") != std::string::npos;
}

void check_window(std::int64_t window, std::int64_t lines, std::int64_t samples)
{
    require(window >= 3 && window <= 65 && window % 2 == 1,
            text("window is ", window, "; must be odd and lie between 3 and 65"));
    require(window <= lines && window <= samples,
            text("window is ", window, "; must not exceed the image, ", lines, " lines x ", samples, " samples"));
}

}  // namespace

const std::vector<std::string> &despeckle_methods()
{
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Entry &e : entries()) all.emplace_back(e.name);
        return all;
    }();
    return names;
}

bool despeckle_needs_looks(const std::string &method) { return entry(method).looks; }

double speckle_variation(const std::string &kind, double looks)
{
    if (kind != "amplitude") return 1 / looks;
    // the series where the difference of two nearly equal numbers would lose digits
    if (looks > 1e4) return 1 / (4 * looks) + 1 / (32 * looks * looks);
    return std::expm1(std::log(looks) + 2 * (std::lgamma(looks) - std::lgamma(looks + 0.5)));
}

Method find_method(std::int64_t lines, std::int64_t samples, DespeckleOptions &o)
{
    require(lines > 0 && samples > 0, text("image is ", lines, " x ", samples, "; must not be empty"));
    const Entry &e = entry(o.method);
    require(o.kind == "intensity" || o.kind == "amplitude",
            text("kind is '", o.kind, "'; must be intensity (linear power) or amplitude (its root)"));
    require(o.kind == "intensity" || !e.intensity_only,
            text("kind is amplitude; ", e.name, " models intensity: must be given the amplitude's square"));
    require(o.compat.empty() || o.compat == "snap" || o.compat == "otb",
            text("compat is '", o.compat, "'; must be snap or otb, or empty"));
    require(o.compat.empty() || has_word(e.compat, o.compat),
            text("compat is ", o.compat, "; ", o.compat, " has no ", e.name, " that we reproduce"));
    check_window(o.window, lines, samples);
    require(!std::isinf(o.nodata), text("nodata is ", o.nodata, "; must be finite, or NaN"));
    require(!e.looks || !std::isnan(o.looks),
            text("looks is not given; ", e.name, " must be told the equivalent number of looks"));
    if (e.looks)
        require(o.looks > 0 && o.looks <= 1e6, text("looks is ", o.looks, "; must lie above 0 and not above 1e6"));
    if (std::isnan(e.damping)) {
        require(std::isnan(o.damping), text("damping is ", o.damping, "; must be left out, ", e.name, " has none"));
    } else {
        if (std::isnan(o.damping)) o.damping = e.damping;
        require(o.damping > 0 && o.damping <= 1e3,
                text("damping is ", o.damping, "; must lie above 0 and not above 1000"));
    }

    Method m;
    m.name = e.name;
    m.filter = e.filter;
    m.window = static_cast<int>(o.window);
    m.nodata = static_cast<float>(o.nodata);
    if (e.looks) {
        // SNAP and OTB take 1 / sqrt(L) for the variation of amplitude too.
        const double cu2 = speckle_variation(o.compat.empty() ? o.kind : "intensity", o.looks);
        // Enhanced Lee's bound is where the texture's own variation is that of a unit exponential: 1 + 2 / L of
        // intensity; the root of such a texture has the squared coefficient 4 / pi - 1. Gamma MAP's is 2 Cu^2.
        const double texture = o.kind == "amplitude" ? 4 / 3.14159265358979323846 - 1 : 1.0;
        const double cmax2 = e.filter == Filter::gamma_map ? 2 * cu2 : cu2 + (1 + cu2) * texture;
        m.numbers = {static_cast<float>(cu2), static_cast<float>(cmax2), static_cast<float>(o.looks), 0};
        if (!std::isnan(o.damping)) m.numbers.damping = static_cast<float>(o.damping);
    }
    return m;
}

}  // namespace sidelook
