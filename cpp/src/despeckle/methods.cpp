#include "despeckle/methods.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "core/text.h"

namespace sidelook
{
namespace
{

struct Entry {
    const char *name;
    Filter filter;
    bool looks = false;                 // must be told the number of looks
    bool intensity_only = false;        // its model is of intensity
    const char *compat = "";            // tools whose formula it can take
    double damping = not_given;         // its default; not_given: has none
    std::int64_t least = 3, most = 65;  // windows
};

const std::vector<Entry> &entries()
{
    static const std::vector<Entry> all = {
        {"boxcar", Filter::boxcar, false, false, "snap otb"},
        {"lee", Filter::lee, true, false, "snap otb"},
        {"kuan", Filter::kuan, true, false, "otb"},
        {"enhanced_lee", Filter::enhanced_lee, true, false, "", 1.0},
        {"gamma_map", Filter::gamma_map, true, true, "snap otb"},
        {"frost", Filter::frost, false, false, "snap otb", 2.0},
        {"median", Filter::median},
        {"refined_lee", Filter::refined_lee, true, false, "", not_given, 7, 7},
        {"refined_lee_local", Filter::refined_lee_local, false, false, "", not_given, 7, 7},
        {"lee_sigma", Filter::lee_sigma, true, false, "", not_given, 5, 65},
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

void check_window(const Entry &e, std::int64_t window, std::int64_t lines, std::int64_t samples)
{
    require(e.least < e.most || window == e.most, text("window is ", window, "; must be ", e.most, " for ", e.name));
    require(window >= e.least && window <= e.most && window % 2 == 1,
            text("window is ", window, "; must be odd and lie between ", e.least, " and ", e.most));
    require(window <= lines && window <= samples,
            text("window is ", window, "; must not exceed the image, ", lines, " lines x ", samples, " samples"));
}

Distances distances(int window, bool euclidean)
{
    const int half = window / 2;
    std::map<int, std::vector<Distances::Place>> by_distance;  // squared
    for (int i = 0; i < window; ++i)
        for (int j = 0; j < window; ++j) {
            const int a = std::abs(i - half), b = std::abs(j - half), most = std::max(a, b);
            by_distance[euclidean ? a * a + b * b : most * most].push_back({i, j});
        }
    Distances all;
    for (const auto &[squared, places] : by_distance) {
        const auto first = static_cast<std::int32_t>(all.places.size());
        all.places.insert(all.places.end(), places.begin(), places.end());
        all.rings.push_back({static_cast<float>(std::sqrt(static_cast<double>(squared))), first,
                             static_cast<std::int32_t>(all.places.size())});
    }
    return all;
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
    check_window(e, o.window, lines, samples);
    require(!std::isinf(o.nodata), text("nodata is ", o.nodata, "; must be finite, or NaN"));
    require(!e.looks || !std::isnan(o.looks),
            text("looks is not given; ", e.name, " must be told the equivalent number of looks"));
    if (e.looks)
        require(o.looks > 0 && o.looks <= 1e6, text("looks is ", o.looks, "; must lie above 0 and not above 1e6"));
    const auto of_another = [&](const char *name, bool given, bool its) {
        require(its || !given, text(name, " is given; must be left out, ", e.name, " has none"));
    };
    const bool frost = e.filter == Filter::frost, sigma = e.filter == Filter::lee_sigma;
    of_another("damping", !std::isnan(o.damping), !std::isnan(e.damping));
    of_another("distance", !o.distance.empty(), frost);
    of_another("sigma", !std::isnan(o.sigma), sigma);
    of_another("bright_level", !std::isnan(o.bright_level), sigma);
    if (!std::isnan(e.damping)) {
        if (std::isnan(o.damping)) o.damping = o.compat == "otb" ? 0.1 : e.damping;
        require(o.damping > 0 && o.damping <= 1e3,
                text("damping is ", o.damping, "; must lie above 0 and not above 1000"));
    }
    if (frost) {
        const char *theirs = o.compat == "snap" ? "chebyshev" : "euclidean";
        if (o.distance.empty()) o.distance = theirs;
        require(o.distance == "euclidean" || o.distance == "chebyshev",
                text("distance is '", o.distance, "'; must be euclidean or chebyshev"));
        require(o.compat.empty() || o.distance == theirs,
                text("distance is ", o.distance, "; must be ", theirs, " with compat ", o.compat));
    }
    if (sigma) {
        if (std::isnan(o.sigma)) o.sigma = 0.95;
        require(o.sigma >= 0.1 && o.sigma <= 0.99, text("sigma is ", o.sigma, "; must lie between 0.1 and 0.99"));
        require(!(o.bright_level < 0), text("bright_level is ", o.bright_level, "; must not be negative"));
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
        m.numbers = {static_cast<float>(cu2), static_cast<float>(cmax2), static_cast<float>(o.looks), 0, 0, 0, 0, 0};
    }
    if (!std::isnan(o.damping)) m.numbers.damping = static_cast<float>(o.damping);
    if (frost) m.distances = distances(m.window, o.distance == "euclidean");
    if (sigma) {
        const SigmaRange range = sigma_range(o.looks, o.kind == "amplitude", o.sigma);
        m.numbers.low = static_cast<float>(range.low);
        m.numbers.high = static_cast<float>(range.high);
        m.numbers.range_cu2 = static_cast<float>(range.cu2);
        if (!std::isnan(o.bright_level)) m.numbers.bright = static_cast<float>(o.bright_level);
    }
    return m;
}

}  // namespace sidelook
