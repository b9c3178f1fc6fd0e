// User data to complex samples: FDBAQ, BAQ, bypass (the standard's sections 3.3, 4 and 5.2).
#include <algorithm>
#include <array>
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

std::int64_t user_octets(const PacketHeader &h) { return h.bytes - header_bytes; }

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

/// Goes through the blocks of an FDBAQ packet, channel by channel; where one ends is known once it is unpacked.
class FdbaqBlocks
{
public:
    FdbaqBlocks(const PacketHeader &h, Workspace &w) : h_(&h), w_(&w), blocks_(blocks_of(h)), end_(8 * user_octets(h))
    {
    }

    /// The next block, or false: all are done, or there is a fault.
    bool next(CodeStream &stream)
    {
        if (channel_ > qo || fault_ != PacketFault::none) return false;
        if (channel_ == ie) {
            w_->bit_rate_codes[block_] = take(3);
            if (w_->bit_rate_codes[block_] > 4) {
                fault_ = PacketFault::bit_rate_code;
                return false;
            }
        } else if (channel_ == qe) {
            w_->threshold_indices[block_] = take(8);
        }
        stream = {w_->data.data(), bit_, &code_book(w_->bit_rate_codes[block_]),
                  w_->channel(channel_) + block_ * block_quads, quads_of_block(*h_, block_)};
        return true;
    }

    void done(const CodeStream &stream)
    {
        bit_ = stream.bit;
        if (++block_ == blocks_) {
            bit_ = whole_words(bit_);
            block_ = 0;
            ++channel_;
        }
        if (bit_ > end_) fault_ = PacketFault::bits_past_end;  // within the slack until here
    }

    PacketFault fault() const { return fault_ != PacketFault::none ? fault_ : compare_length(bit_ / 8, end_ / 8); }

private:
    std::uint8_t take(int bits)
    {
        const std::uint8_t *p = w_->data.data() + (bit_ >> 3);
        const unsigned next = static_cast<unsigned>(p[0] << 8 | p[1]) << (bit_ & 7) & 0xffff;
        bit_ += bits;
        return static_cast<std::uint8_t>(next >> (16 - bits));
    }

    const PacketHeader *h_;
    Workspace *w_;
    std::int64_t blocks_, end_, block_ = 0, bit_ = 0;
    int channel_ = ie;
    PacketFault fault_ = PacketFault::none;
};

PacketFault unpack_baq(const PacketHeader &h, Workspace &w)
{
    const int bits = h.baq_mode;
    const std::int64_t blocks = blocks_of(h);
    const std::int64_t plain = whole_words(static_cast<std::int64_t>(bits) * h.quads) / 8,
                       with_indices = whole_words(static_cast<std::int64_t>(bits) * h.quads + 8 * blocks) / 8;
    const PacketFault fault = compare_length(3 * plain + with_indices, user_octets(h));
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

PacketFault decode_bypass(const PacketHeader &h, const Workspace &w, float *out)
{
    const std::int64_t channel_octets = whole_words(std::int64_t{10} * h.quads) / 8;
    const PacketFault fault = compare_length(4 * channel_octets, user_octets(h));
    if (fault != PacketFault::none) return fault;
    constexpr int place[4] = {0, 2, 1, 3};  // of a quad: even I, even Q, odd I, odd Q
    for (int channel = ie; channel <= qo; ++channel)
        SIDELOOK_DISPATCH(unpack_bypass, w.data.data() + channel * channel_octets, out + place[channel], 4, h.quads);
    return PacketFault::none;
}

bool is_fdbaq(const PacketHeader &h) { return h.baq_mode >= 12; }

void reconstruct_blocks(const PacketHeader &h, const Workspace &w, float *out)
{
    for (std::int64_t b = 0; b < blocks_of(h); ++b) {
        const std::int64_t q = b * block_quads;
        const Levels *levels = is_fdbaq(h) ? fdbaq_levels(w.bit_rate_codes[b]) : baq_levels(h.baq_mode);
        SIDELOOK_DISPATCH(reconstruct, w.channel(ie) + q, w.channel(io) + q, w.channel(qe) + q, w.channel(qo) + q,
                          levels[w.threshold_indices[b]], out + 4 * q, quads_of_block(h, b));
    }
}

/// A packet, its place in memory, and where its samples go.
struct Work {
    const PacketHeader *header = nullptr;
    const std::uint8_t *packet = nullptr;
    float *out = nullptr;
    PacketFault *fault = nullptr;
};

void load(const Work &work, Workspace &w)
{
    const auto octets = static_cast<std::size_t>(user_octets(*work.header));
    std::memcpy(w.data.data(), work.packet + header_bytes, octets);
    std::memset(w.data.data() + octets, 0, slack);
}

void decode_fixed(const Work &work, Workspace &w)
{
    const PacketHeader &h = *work.header;
    load(work, w);
    *work.fault = h.baq_mode == 0 ? decode_bypass(h, w, work.out) : unpack_baq(h, w);
    if (h.baq_mode != 0 && *work.fault == PacketFault::none) reconstruct_blocks(h, w, work.out);
}

/// One packet or two at once; see unpack_code_words.
void decode_fdbaq(const Work *work, int count, Workspace *w)
{
    std::vector<FdbaqBlocks> packets;
    for (int k = 0; k < count; ++k) {
        load(work[k], w[k]);
        packets.emplace_back(*work[k].header, w[k]);
    }
    for (;;) {
        CodeStream streams[2];
        FdbaqBlocks *owners[2] = {};
        int open = 0;
        for (FdbaqBlocks &packet : packets)
            if (packet.next(streams[open])) owners[open++] = &packet;
        if (open == 0) break;
        SIDELOOK_DISPATCH(unpack_code_words, streams, open);
        for (int k = 0; k < open; ++k) owners[k]->done(streams[k]);
    }
    for (int k = 0; k < count; ++k) {
        *work[k].fault = packets[static_cast<std::size_t>(k)].fault();
        if (*work[k].fault == PacketFault::none) reconstruct_blocks(*work[k].header, w[k], work[k].out);
    }
}

bool can_decode(int baq_mode)
{
    return baq_mode == 0 || (baq_mode >= 3 && baq_mode <= 5) || (baq_mode >= 12 && baq_mode <= 14);
}

/// What a row holds besides a packet's samples: zeros, or nothing but NaN if they are wrong.
void fill_row(const PacketHeader &h, std::int64_t column, PacketFault fault, View2<c64> out, std::int64_t i)
{
    c64 *row = out.row(i), *first = row + column, *end = row + out.cols;
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    if (fault != PacketFault::none) {
        std::fill(row, end, c64(nan, nan));
    } else {
        std::fill(row, first, c64());
        std::fill(first + 2 * h.quads, end, c64());
    }
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
    const std::int64_t pairs = (out.rows + 1) / 2;
    threads = static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, pairs)));
    std::vector<std::array<Workspace, 2>> workspaces(static_cast<std::size_t>(threads));
    parallel_for(pairs, threads, [&](std::int64_t pair, int worker) {
        Workspace *w = workspaces[static_cast<std::size_t>(worker)].data();
        Work work[2];
        const int count = 2 * pair + 1 < out.rows ? 2 : 1;
        for (int k = 0; k < count; ++k) {
            const std::int64_t i = 2 * pair + k;
            work[k] = {packets + i, data + (packets[i].offset - data_offset),
                       reinterpret_cast<float *>(out.row(i) + columns[i]), faults + i};
        }
        if (count == 2 && is_fdbaq(*work[0].header) && is_fdbaq(*work[1].header)) {
            decode_fdbaq(work, 2, w);
        } else {
            for (int k = 0; k < count; ++k)
                is_fdbaq(*work[k].header) ? decode_fdbaq(work + k, 1, w) : decode_fixed(work[k], *w);
        }
        for (std::int64_t i = 2 * pair; i < 2 * pair + count; ++i) fill_row(packets[i], columns[i], faults[i], out, i);
    });
}

}  // namespace sidelook::sentinel1
