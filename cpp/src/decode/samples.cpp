// User data to complex samples: FDBAQ, BAQ, bypass (the standard's sections 3.3, 4 and 5.2).
#include <algorithm>
#include <cstring>
#include <limits>

#include "core/memory.h"
#include "core/text.h"
#include "core/threads.h"
#include "decode/sample_kernels.h"
#include "sidelook/decode.h"
#include "sidelook/error.h"

namespace sidelook::sentinel1
{
namespace
{

constexpr std::int64_t most_blocks = (65535 + block_quads - 1) / block_quads;

/// What a thread decodes in.
struct Workspace {
    Buffer<std::uint8_t> data{largest_packet + slack};
    Buffer<std::uint8_t> symbols{4 * channel_symbols};
    std::uint8_t bit_rate_codes[most_blocks], threshold_indices[most_blocks];

    static constexpr std::int64_t channel_symbols = most_blocks * block_quads + 64;
    std::uint8_t *channel(int c) const { return symbols.data() + c * channel_symbols; }
};

enum Channel { ie, io, qe, qo };  // in the order in which they are sent

std::int64_t whole_words(std::int64_t bits) { return (bits + 15) / 16 * 16; }

std::int64_t blocks_of(const PacketHeader &h) { return (h.quads + block_quads - 1) / block_quads; }

std::int64_t quads_of_block(const PacketHeader &h, std::int64_t block)
{
    return std::min<std::int64_t>(block_quads, h.quads - block * block_quads);
}

/// A packet is a multiple of 4 octets long, so up to 3 of them may be left.
PacketFault compare_length(std::int64_t used_octets, std::int64_t octets)
{
    if (used_octets > octets) return PacketFault::bits_past_end;
    return used_octets + 3 < octets ? PacketFault::bits_left_over : PacketFault::none;
}

PacketFault unpack_fdbaq(const PacketHeader &h, std::int64_t octets, Workspace &w)
{
    const std::uint8_t *data = w.data.data();
    const std::int64_t blocks = blocks_of(h), end = 8 * octets;
    std::int64_t bit = 0;
    const auto take = [&](int bits) {
        const unsigned next = static_cast<unsigned>(data[bit >> 3] << 8 | data[(bit >> 3) + 1]) << (bit & 7) & 0xffff;
        bit += bits;
        return static_cast<std::uint8_t>(next >> (16 - bits));
    };
    for (int channel = ie; channel <= qo; ++channel) {
        for (std::int64_t b = 0; b < blocks; ++b) {
            if (channel == ie) {
                w.bit_rate_codes[b] = take(3);
                if (w.bit_rate_codes[b] > 4) return PacketFault::bit_rate_code;
            } else if (channel == qe) {
                w.threshold_indices[b] = take(8);
            }
            bit = SIDELOOK_DISPATCH(unpack_code_words, data, bit, code_book(w.bit_rate_codes[b]),
                                    w.channel(channel) + b * block_quads, quads_of_block(h, b));
            if (bit > end) return PacketFault::bits_past_end;  // within the slack until here
        }
        bit = whole_words(bit);
        if (bit > end) return PacketFault::bits_past_end;
    }
    return compare_length(bit / 8, octets);
}

PacketFault unpack_baq(const PacketHeader &h, std::int64_t octets, Workspace &w)
{
    const int bits = h.baq_mode;
    const std::int64_t blocks = blocks_of(h);
    const std::int64_t plain = whole_words(static_cast<std::int64_t>(bits) * h.quads) / 8,
                       with_indices = whole_words(static_cast<std::int64_t>(bits) * h.quads + 8 * blocks) / 8;
    const PacketFault fault = compare_length(3 * plain + with_indices, octets);
    if (fault != PacketFault::none) return fault;
    const std::uint8_t *data = w.data.data();
    for (int channel = ie; channel <= qo; ++channel) {
        const std::uint8_t *next = data;
        for (std::int64_t b = 0; b < blocks; ++b) {
            if (channel == qe) w.threshold_indices[b] = *next++;
            SIDELOOK_DISPATCH(unpack_fixed, next, bits, w.channel(channel) + b * block_quads, quads_of_block(h, b));
            next += bits * block_quads / 8;
        }
        data += channel == qe ? with_indices : plain;
    }
    return PacketFault::none;
}

PacketFault decode_bypass(const PacketHeader &h, std::int64_t octets, const Workspace &w, float *out)
{
    const std::int64_t channel_octets = whole_words(std::int64_t{10} * h.quads) / 8;
    const PacketFault fault = compare_length(4 * channel_octets, octets);
    if (fault != PacketFault::none) return fault;
    constexpr int place[4] = {0, 2, 1, 3};  // of a quad: even I, even Q, odd I, odd Q
    for (int channel = ie; channel <= qo; ++channel)
        SIDELOOK_DISPATCH(unpack_bypass, w.data.data() + channel * channel_octets, out + place[channel], 4, h.quads);
    return PacketFault::none;
}

PacketFault decode(const PacketHeader &h, const std::uint8_t *packet, Workspace &w, float *out)
{
    const std::int64_t octets = h.bytes - header_bytes;
    std::memcpy(w.data.data(), packet + header_bytes, static_cast<std::size_t>(octets));
    std::memset(w.data.data() + octets, 0, slack);
    if (h.baq_mode == 0) return decode_bypass(h, octets, w, out);
    const bool fdbaq = h.baq_mode >= 12;
    const PacketFault fault = fdbaq ? unpack_fdbaq(h, octets, w) : unpack_baq(h, octets, w);
    if (fault != PacketFault::none) return fault;
    for (std::int64_t b = 0; b < blocks_of(h); ++b) {
        const std::int64_t q = b * block_quads;
        const Levels *levels = fdbaq ? fdbaq_levels(w.bit_rate_codes[b]) : baq_levels(h.baq_mode);
        SIDELOOK_DISPATCH(reconstruct, w.channel(ie) + q, w.channel(io) + q, w.channel(qe) + q, w.channel(qo) + q,
                          levels[w.threshold_indices[b]], out + 4 * q, quads_of_block(h, b));
    }
    return PacketFault::none;
}

bool can_decode(int baq_mode)
{
    return baq_mode == 0 || (baq_mode >= 3 && baq_mode <= 5) || (baq_mode >= 12 && baq_mode <= 14);
}

}  // namespace

void decode_packets(const std::uint8_t *data, std::int64_t bytes, std::int64_t data_offset, const PacketHeader *packets,
                    const std::int64_t *columns, int threads, View2<c64> out, PacketFault *faults)
{
    for (std::int64_t i = 0; i < out.rows; ++i) {
        const PacketHeader &h = packets[i];
        const std::int64_t at = h.offset - data_offset;
        require(data_offset >= 0 && h.offset >= data_offset && h.bytes > header_bytes && h.bytes <= largest_packet &&
                    at <= bytes - static_cast<std::int64_t>(h.bytes),
                text("packet ", i, " has offset ", h.offset, " and ", h.bytes, " bytes; must lie within the ", bytes,
                     " bytes from ", data_offset, " on"));
        require(columns[i] >= 0 && columns[i] <= out.cols - 2 * std::int64_t{h.quads},
                text("packet ", i, " has ", 2 * h.quads, " samples from column ", columns[i],
                     " on; must lie within the row's ", out.cols));
        require(can_decode(h.baq_mode),
                text("packet ", i, " has baq_mode ", int{h.baq_mode}, "; must be 0, 3 to 5 or 12 to 14"));
    }
    if (threads <= 0) threads = default_threads();
    threads = static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, out.rows)));
    std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
    parallel_for(out.rows, threads, [&](std::int64_t i, int worker) {
        const PacketHeader &h = packets[i];
        c64 *row = out.row(i), *first = row + columns[i], *end = row + out.cols;
        faults[i] = decode(h, data + (h.offset - data_offset), workspaces[static_cast<std::size_t>(worker)],
                           reinterpret_cast<float *>(first));
        if (faults[i] != PacketFault::none) {
            constexpr float nan = std::numeric_limits<float>::quiet_NaN();
            std::fill(row, end, c64(nan, nan));
        } else {
            std::fill(row, first, c64());
            std::fill(first + 2 * h.quads, end, c64());
        }
    });
}

}  // namespace sidelook::sentinel1
