// One exception type carries the sentence and the documented exit code across the library.
#pragma once

#include <stdexcept>
#include <string>

namespace sidelook
{

/// Status of a call; the values are the exit codes of the command line and the status codes of the C ABI.
enum class Code : int {
    ok = 0,
    failure = 1,            ///< our bug, or the system failed us (I/O, out of resources)
    usage = 2,              ///< the command line was wrong
    bad_input = 3,          ///< an argument or the data break a rule
    missing_auxiliary = 4,  ///< an orbit, a device or a library that was asked for is not there
    over_memory = 5,        ///< the work does not fit the memory allowed
};

/// Thrown by every plan. `what()` is one sentence: the argument, its value, the rule.
class Error : public std::runtime_error
{
public:
    Error(Code code, const std::string &sentence) : std::runtime_error(sentence), code_(code) {}
    Code code() const noexcept { return code_; }

private:
    Code code_;
};

/// Throws Error(bad_input) with the sentence unless `rule` holds.
inline void require(bool rule, const std::string &sentence)
{
    if (!rule) throw Error(Code::bad_input, sentence);
}

}  // namespace sidelook
