// Aligned arrays of samples, on large pages where the system gives them.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <memory>

#include "core/text.h"
#include "sidelook/error.h"
#include "sidelook/view.h"

namespace sidelook
{

/// An uninitialised, aligned array of n elements.
template <class T> class Buffer
{
public:
    Buffer() = default;
    explicit Buffer(std::int64_t n) : size_(n)
    {
        constexpr std::size_t page = 64;
        const std::size_t bytes = (static_cast<std::size_t>(n > 0 ? n : 1) * sizeof(T) + page - 1) / page * page;
        const std::size_t align = bytes >= (8u << 20) ? (2u << 20) : page;
        void *p = std::aligned_alloc(align, (bytes + align - 1) / align * align);
        if (!p)
            throw Error(Code::over_memory, text("memory: ", bytes, " bytes are needed; the system does not give them"));
        if (align > page) madvise(p, bytes, MADV_HUGEPAGE);
        data_.reset(static_cast<T *>(p));
    }
    T *data() const { return data_.get(); }
    std::int64_t size() const { return size_; }

private:
    struct Free {
        void operator()(void *p) const { std::free(p); }
    };
    std::int64_t size_ = 0;
    std::unique_ptr<T, Free> data_;
};

}  // namespace sidelook
