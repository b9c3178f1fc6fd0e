// text("prf_hz is ", prf, "; must be greater than 0"): sentences from parts, numbers with up to ten digits.
#pragma once

#include <sstream>
#include <string>

namespace sidelook
{

template <class... Parts> std::string text(const Parts &...parts)
{
    std::ostringstream out;
    out.precision(10);
    (out << ... << parts);
    return out.str();
}

}  // namespace sidelook
