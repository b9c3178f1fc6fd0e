// Views: memory that somebody else owns, with its shape and row stride. C++17 has no std::span or mdspan.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>

namespace sidelook
{

using c64 = std::complex<float>;    ///< numpy complex64
using c128 = std::complex<double>;  ///< numpy complex128

/// A two-dimensional array: `rows` lines of `cols` elements, consecutive lines `stride` elements apart.
template <class T> struct View2 {
    T *data = nullptr;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t stride = 0;

    View2() = default;
    View2(T *d, std::int64_t r, std::int64_t c) : data(d), rows(r), cols(c), stride(c) {}
    View2(T *d, std::int64_t r, std::int64_t c, std::int64_t s) : data(d), rows(r), cols(c), stride(s) {}

    T *row(std::int64_t r) const { return data + r * stride; }
    T &operator()(std::int64_t r, std::int64_t c) const { return data[r * stride + c]; }
    operator View2<const T>() const { return {data, rows, cols, stride}; }
};

}  // namespace sidelook
