// What a CUDA stage holds: memory of the device, pinned memory of the host, a stream. They are freed with their owner,
// and every call is checked: CUDA's refusals are thrown as Error.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace sidelook::cuda
{

/// Throws Error unless `status` is success: missing_auxiliary where there is no device, over_memory where memory ran
/// out, otherwise failure. `what` names what was done: "the upload of the filter".
void check(cudaError_t status, const char *what);

void *allocate_device(std::int64_t bytes);
void *allocate_pinned(std::int64_t bytes);
void free_device(void *memory) noexcept;
void free_pinned(void *memory) noexcept;

/// An array of n elements, uninitialised; owned, moved, never copied.
template <class T, void *allocate(std::int64_t), void release(void *) noexcept> class Array
{
public:
    Array() = default;
    explicit Array(std::int64_t n)
        : data_(static_cast<T *>(allocate(n * static_cast<std::int64_t>(sizeof(T))))), size_(n)
    {
    }
    Array(Array &&other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Array &operator=(Array &&other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Array() { release(data_); }

    T *data() const { return data_; }
    std::int64_t size() const { return size_; }

private:
    T *data_ = nullptr;
    std::int64_t size_ = 0;
};

template <class T> using DeviceArray = Array<T, allocate_device, free_device>;
/// Memory of the host that copies to and from the device may use while the host goes on.
template <class T> using PinnedArray = Array<T, allocate_pinned, free_pinned>;

/// Work that the device does in order, beside other streams.
class Stream
{
public:
    Stream();
    ~Stream();
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    cudaStream_t get() const { return stream_; }
    /// Until all work given to it is done; throws what went wrong meanwhile.
    void wait(const char *what) const;

private:
    cudaStream_t stream_ = nullptr;
};

/// Copies n elements; `from` must stay as it is until the stream has been waited for.
template <class T> void upload(T *d_to, const T *from, std::int64_t n, const Stream &stream)
{
    check(cudaMemcpyAsync(d_to, from, static_cast<std::size_t>(n) * sizeof(T), cudaMemcpyHostToDevice, stream.get()),
          "a copy to the device");
}

}  // namespace sidelook::cuda
