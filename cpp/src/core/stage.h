// The contract of a processing stage: what the runner, the tests, the bench and the documentation know of it.
#pragma once

#include <cassert>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/memory.h"
#include "sidelook/view.h"

namespace sidelook
{

/// Lines or samples [first, end) of a grid.
struct Interval {
    std::int64_t first = 0, end = 0;
    std::int64_t size() const { return end - first; }
};

inline Interval intersection(Interval a, Interval b)
{
    const std::int64_t first = a.first > b.first ? a.first : b.first, end = a.end < b.end ? a.end : b.end;
    return {first, end > first ? end : first};
}

/// What the lines between stages are made of.
enum class Element : std::uint8_t { c64, f32, u8 };

template <class T> constexpr Element element_of();
template <> constexpr Element element_of<c64>() { return Element::c64; }
template <> constexpr Element element_of<float>() { return Element::f32; }
template <> constexpr Element element_of<std::uint8_t>() { return Element::u8; }

constexpr std::int64_t bytes_of(Element e) { return e == Element::c64 ? 8 : e == Element::f32 ? 4 : 1; }

/// Lines whose element is known at run time: what the runner carries. A stage asks for the view of its own type.
struct AnyView {
    Element element = Element::c64;
    void *data = nullptr;
    std::int64_t rows = 0, cols = 0, stride = 0;

    AnyView() = default;
    template <class T>
    AnyView(View2<T> v)  // NOLINT(google-explicit-constructor): a view is an AnyView
        : element(element_of<std::remove_const_t<T>>()), data(const_cast<std::remove_const_t<T> *>(v.data)),
          rows(v.rows), cols(v.cols), stride(v.stride)
    {
    }
    AnyView(Element e, void *d, std::int64_t r, std::int64_t c, std::int64_t s)
        : element(e), data(d), rows(r), cols(c), stride(s)
    {
    }
    template <class T> View2<T> as() const
    {
        assert(element == element_of<std::remove_const_t<T>>());
        return {static_cast<T *>(data), rows, cols, stride};
    }
    AnyView lines(std::int64_t first, std::int64_t count) const
    {
        return {element, static_cast<char *>(data) + first * stride * bytes_of(element), count, cols, stride};
    }
};

/// Memory that a stage works in, one piece a worker; kept by the caller from one execute to the next.
class Workspace
{
public:
    /// At least n samples for this worker; what they hold is undefined.
    c64 *get(int worker, std::int64_t n)
    {
        const auto w = static_cast<std::size_t>(worker);
        if (pieces_[w].size() < n) {
            pieces_[w] = Buffer<c64>();  // the old piece goes before the new one comes
            pieces_[w] = Buffer<c64>(n);
        }
        return pieces_[w].data();
    }
    explicit Workspace(int workers) : pieces_(static_cast<std::size_t>(workers > 0 ? workers : 1)) {}

private:
    std::vector<Buffer<c64>> pieces_;
};

/// A planned stage: arguments checked, transforms and tables built. It maps lines to lines; its output grid may have
/// another origin, length, width and element than its input grid.
class Stage
{
public:
    virtual ~Stage() = default;
    virtual const char *name() const = 0;
    virtual Element element_in() const = 0;
    virtual Element element_out() const = 0;
    virtual std::int64_t samples_in() const = 0;
    virtual std::int64_t samples_out() const = 0;

    /// The output lines that exist if these input lines do.
    virtual Interval lines_out(Interval lines_in) const = 0;

    /// Reach: the input lines that output lines [out.first, out.end) are computed from. It may be asymmetric and need
    /// not contain `out`; both ends grow with `out`. Lines outside the input count as not recorded.
    virtual Interval reach(Interval out) const = 0;

    /// Whether each line comes from the input line of the same number alone: the runner then keeps no window for it.
    virtual bool line_by_line() const { return false; }

    /// Output lines that execute() takes at once, at most; 0: any number.
    virtual std::int64_t block_lines() const { return 0; }

    /// Bytes of workspace that execute() takes for this many output lines.
    virtual std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const = 0;

    /// Computes output lines `out_lines` from input lines `in_lines`, which hold reach(out_lines) as far as it exists.
    /// The result depends neither on `threads` nor on how the lines are cut into calls, but for a stated rounding.
    virtual void execute(AnyView in, Interval in_lines, AnyView out, Interval out_lines, int threads,
                         Workspace &workspace) const = 0;
};

/// A stage from lines of In to lines of Out.
template <class In, class Out> class TypedStage : public Stage
{
public:
    Element element_in() const final { return element_of<In>(); }
    Element element_out() const final { return element_of<Out>(); }
    void execute(AnyView in, Interval in_lines, AnyView out, Interval out_lines, int threads,
                 Workspace &workspace) const final
    {
        compute(in.as<const In>(), in_lines, out.as<Out>(), out_lines, threads, workspace);
    }
    virtual void compute(View2<const In> in, Interval in_lines, View2<Out> out, Interval out_lines, int threads,
                         Workspace &workspace) const = 0;
};

/// A typed stage whose every line comes from the input line of the same number.
template <class In, class Out> class LineStage : public TypedStage<In, Out>
{
public:
    bool line_by_line() const final { return true; }
    Interval lines_out(Interval lines_in) const final { return lines_in; }
    Interval reach(Interval out) const final { return out; }
};

}  // namespace sidelook
