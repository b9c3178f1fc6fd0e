// Objects from the test ratio, line by line: 8-connected pixels above a lower level, with one above the threshold.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/stage.h"

namespace sidelook
{

/// Neighbouring pixels of a line.
struct Run {
    std::int64_t line = 0, first = 0, end = 0;
};

struct Component {
    std::vector<Run> runs;  ///< by line, then sample
    std::int64_t first_line = 0, end_line = 0, first_sample = 0, end_sample = 0;
    std::int64_t pixels = 0;  ///< at or above 1
    std::int64_t size = 0;    ///< at or above the lower level
    float peak = 0;           ///< largest ratio
};

/// Takes lines in order; holds only what the latest line may still go on with.
class Components
{
public:
    /// An object holds pixels of ratio >= grow, at least one of them >= 1.
    explicit Components(float grow) : grow_(grow) {}
    void add(std::int64_t line, const float *ratio, std::int64_t samples);
    /// All objects, by their first pixel in reading order.
    std::vector<Component> finish();
    /// After finish(): groups of at least two pixels of which none reaches 1, by their first pixel.
    const std::vector<Component> &faint() const { return faint_; }

private:
    struct Open {
        Component component;
        std::int64_t last_line = 0;
    };
    std::size_t root(std::size_t k);
    void close(std::int64_t before);

    float grow_;
    struct Labelled {
        Run run;
        std::size_t label;
    };
    std::vector<Labelled> previous_, current_;
    std::map<std::size_t, Open> open_;       // by root label
    std::map<std::size_t, std::size_t> up_;  // label to an older label of the same object
    std::size_t next_ = 0;
    std::vector<Component> done_, faint_;
};

/// Adds the pixels of one component to another.
void join(Component &to, Component &&from);

/// Whether pixels of the two come within gap_m, with these spacings on the ground.
bool are_near(const Component &a, const Component &b, double azimuth_spacing_m, double ground_range_spacing_m,
              double gap_m);

/// Joins objects whose pixels come nearer than `gap_m`, or a fifth of the larger one's size up to 2.4 times that, or
/// between which one of the faint lies, nearer than `gap_m` to both. Spacings of the ground by sample.
std::vector<Component> merge_near(std::vector<Component> parts, const std::vector<Component> &faint,
                                  const std::vector<double> &azimuth_spacing_m,
                                  const std::vector<double> &ground_range_spacing_m, double gap_m);

}  // namespace sidelook
