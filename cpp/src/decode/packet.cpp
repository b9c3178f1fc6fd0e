// Headers of space packets, and where packets lie in a file (the standard's sections 3.1 and 3.2).
#include <algorithm>
#include <cstring>

#include "core/text.h"
#include "sidelook/decode.h"
#include "sidelook/error.h"

namespace sidelook::sentinel1
{
namespace
{

constexpr std::uint32_t sync_marker = 0x352EF853;
constexpr std::int64_t marker_end = 16;  // octets that tell whether a header begins

std::uint32_t big16(const std::uint8_t *p) { return static_cast<std::uint32_t>(p[0] << 8 | p[1]); }
std::uint32_t big24(const std::uint8_t *p) { return big16(p) << 8 | p[2]; }
std::uint32_t big32(const std::uint8_t *p) { return big16(p) << 16 | big16(p + 2); }

std::int64_t packet_bytes(const std::uint8_t *p) { return 7 + static_cast<std::int64_t>(big16(p + 4)); }

/// Whether a header begins here, from 16 octets.
PacketFault framing_fault(const std::uint8_t *p)
{
    const std::uint32_t identification = big16(p);
    if (identification >> 13 != 0) return PacketFault::version;
    if ((identification >> 11 & 3) != 1) return PacketFault::packet_type;
    if ((identification & 0x7ff) != (65 << 4 | 12)) return PacketFault::identifier;
    if (big16(p + 2) >> 14 != 3) return PacketFault::segmented;
    if (packet_bytes(p) <= header_bytes || packet_bytes(p) % 4 != 0) return PacketFault::length;
    if (big32(p + 12) != sync_marker) return PacketFault::sync_marker;
    return PacketFault::none;
}

/// The first place in [from, to) where a header begins and that leaves room to see it; -1: none.
std::int64_t find_header(const std::uint8_t *data, std::int64_t from, std::int64_t to, std::int64_t bytes)
{
    to = std::min(to, bytes - marker_end + 1);
    while (from < to) {
        const void *found = std::memchr(data + from, 65 >> 4 | 1 << 3, static_cast<std::size_t>(to - from));
        if (!found) break;
        from = static_cast<const std::uint8_t *>(found) - data;
        if (framing_fault(data + from) == PacketFault::none) return from;
        ++from;
    }
    return -1;
}

// Section 3.2.5.4 and table 5.1-1: filters, and the samples that a decimation's last, incomplete turn makes.
struct Decimation {
    RangeFilter filter;
    const char *rest;  // one digit for every value of C
};
const Decimation decimations[12] = {
    {{100.00e6, 3, 4, 28}, "1123"},
    {{87.71e6, 2, 3, 28}, "112"},
    {{}, ""},
    {{74.25e6, 5, 9, 32}, "112233445"},
    {{59.44e6, 4, 9, 40}, "011223344"},
    {{50.62e6, 3, 8, 48}, "01112233"},
    {{44.89e6, 1, 3, 52}, "001"},
    {{22.20e6, 1, 6, 92}, "000001"},
    {{56.59e6, 3, 7, 36}, "0112233"},
    {{42.86e6, 5, 16, 68}, "0011122223334445"},
    {{15.10e6, 3, 26, 120}, "00000001111111112222222233"},
    {{48.35e6, 4, 11, 44}, "01112233344"},
};

/// Complex samples of a window of swl_code reference periods (section 5.1, N3_Rx).
std::uint32_t samples_of_window(std::uint32_t swl_code, const Decimation &d)
{
    const std::int64_t filter_delay = 80 + d.filter.taps / 4;
    const std::int64_t b = 2 * static_cast<std::int64_t>(swl_code) - filter_delay - 17;
    if (b < 0) return 0;
    const std::int64_t turns = b / d.filter.down, rest = d.rest[b % d.filter.down] - '0';
    return static_cast<std::uint32_t>(2 * (d.filter.up * turns + rest + 1));
}

void read_times(const std::uint8_t *p, PacketHeader &h)
{
    h.coarse_time = big32(p + 6);
    h.fine_time = static_cast<std::uint16_t>(big16(p + 10));
    h.time_gps_s = h.coarse_time + (h.fine_time + 0.5) / 65536;
    h.pri_code = big24(p + 50);
    h.swst_code = big24(p + 53);
    h.swl_code = big24(p + 56);
    h.rank = p[49] & 31;
    h.pri_s = h.pri_code / reference_frequency_hz;
    h.swst_s = h.swst_code / reference_frequency_hz;
    h.swl_s = h.swl_code / reference_frequency_hz;
    const double intervals = static_cast<double>(h.rank) * h.pri_code;
    h.first_sample_delay_s = (intervals + h.swst_code + 320.0 / 8) / reference_frequency_hz;
}

void read_chirp(const std::uint8_t *p, PacketHeader &h)
{
    h.tx_ramp_code = static_cast<std::uint16_t>(big16(p + 42));
    h.tx_start_code = static_cast<std::uint16_t>(big16(p + 44));
    h.tx_pulse_length_code = big24(p + 46);
    const auto value = [](std::uint16_t code) { return (code & 0x8000 ? 1.0 : -1.0) * (code & 0x7fff); };
    const double f = reference_frequency_hz;
    h.tx_ramp_rate_hz_per_s = value(h.tx_ramp_code) * f * f / (1 << 21);
    h.tx_start_frequency_hz = h.tx_ramp_rate_hz_per_s / (4 * f) + value(h.tx_start_code) * f / (1 << 14);
    h.tx_pulse_length_s = h.tx_pulse_length_code / f;
}

void read_antenna(const std::uint8_t *p, PacketHeader &h)
{
    h.calibration = p[59] >> 7;
    h.polarisation = p[59] >> 4 & 7;
    h.temperature_compensation = p[59] >> 2 & 3;
    if (h.calibration) {
        h.sas_test = p[60] >> 7;
        h.calibration_type = p[60] >> 4 & 7;
    } else {
        h.elevation_beam = p[60] >> 4;
    }
    h.azimuth_beam = static_cast<std::uint16_t>(big16(p + 60) & 0x3ff);
    h.calibration_mode = p[62] >> 6;
    h.tx_pulse_number = p[62] & 31;
    h.signal_type = p[63] >> 4;
    h.swap = p[63] & 1;
    h.swath = p[64];
}

}  // namespace

const char *fault_name(PacketFault fault)
{
    static const char *const names[packet_faults] = {
        "none",       "truncated",     "cut_short",     "version",        "packet_type",      "identifier",
        "segmented",  "length",        "sync_marker",   "baq_mode",       "baq_block_length", "range_decimation",
        "no_samples", "bit_rate_code", "bits_past_end", "bits_left_over",
    };
    return static_cast<int>(fault) < packet_faults ? names[static_cast<int>(fault)] : "unknown";
}

std::string signal_name(int signal_type)
{
    switch (static_cast<SignalType>(signal_type)) {
    case SignalType::echo: return "echo";
    case SignalType::noise: return "noise";
    case SignalType::tx_cal: return "tx_cal";
    case SignalType::rx_cal: return "rx_cal";
    case SignalType::epdn_cal: return "epdn_cal";
    case SignalType::ta_cal: return "ta_cal";
    case SignalType::apdn_cal: return "apdn_cal";
    case SignalType::txh_cal_iso: return "txh_cal_iso";
    }
    return text("signal_", signal_type);
}

bool is_range_filter(int code) { return code >= 0 && code < 12 && decimations[code].filter.down > 0; }

RangeFilter range_filter(int code)
{
    require(is_range_filter(code), text("range_decimation is ", code, "; must be 0, 1 or 3 to 11"));
    return decimations[code].filter;
}

PacketFault read_header(const std::uint8_t *data, std::size_t bytes, PacketHeader &header)
{
    if (bytes < static_cast<std::size_t>(header_bytes)) return PacketFault::truncated;
    const PacketFault framing = framing_fault(data);
    if (framing != PacketFault::none) return framing;
    const std::uint8_t *p = data;
    PacketHeader h;
    h.bytes = static_cast<std::uint32_t>(packet_bytes(p));
    h.sequence_count = static_cast<std::uint16_t>(big16(p + 2) & 0x3fff);
    h.data_take = big32(p + 16);
    h.ecc_number = p[20];
    h.test_mode = p[21] >> 4 & 7;
    h.rx_channel = p[21] & 15;
    h.instrument_configuration = big32(p + 22);
    h.ancillary_index = p[26];
    h.ancillary_word = static_cast<std::uint16_t>(big16(p + 27));
    h.space_packet_count = big32(p + 29);
    h.pri_count = big32(p + 33);
    h.error_flag = p[37] >> 7;
    h.baq_mode = p[37] & 31;
    h.baq_block_code = p[38];
    h.range_decimation = p[40];
    h.rx_gain_code = p[41];
    h.rx_gain_db = 0 - 0.5 * h.rx_gain_code;
    read_times(p, h);
    read_chirp(p, h);
    read_antenna(p, h);
    h.quads = static_cast<std::uint16_t>(big16(p + 65));
    if (is_range_filter(h.range_decimation)) {
        h.sample_rate_hz = range_filter(h.range_decimation).sample_rate_hz();
        h.window_samples = samples_of_window(h.swl_code, decimations[h.range_decimation]);
    }
    header = h;
    const bool bypass = h.baq_mode == 0, baq = h.baq_mode >= 3 && h.baq_mode <= 5,
               fdbaq = h.baq_mode >= 12 && h.baq_mode <= 14;
    const bool excluded = (h.test_mode == 5 || h.test_mode == 7) && !bypass;  // the compressor is bypassed
    if (!(bypass || baq || fdbaq) || excluded) return PacketFault::baq_mode;
    if (!bypass && h.baq_block_code != 31) return PacketFault::baq_block_length;
    if (!is_range_filter(h.range_decimation)) return PacketFault::range_decimation;
    if (h.quads == 0) return PacketFault::no_samples;
    return PacketFault::none;
}

void PacketScanner::scan(const std::uint8_t *data, std::int64_t bytes, bool last, std::vector<PacketHeader> &packets,
                         std::vector<Damage> &damage)
{
    require(last || bytes >= least_piece,
            text("bytes is ", bytes, "; must be at least ", least_piece, " for every piece but the last"));
    // With these octets from a packet's start on, its end and the header after it can be seen.
    constexpr std::int64_t enough = largest_packet + marker_end;
    std::int64_t at = 0;
    const auto leave_out = [&](PacketFault reason, std::int64_t end) {
        damage.push_back({reason, position_ + at, end - at});
        at = end;
    };
    while (at < bytes && (last || lost_ != PacketFault::none || bytes - at >= enough)) {
        const std::int64_t left = bytes - at;
        if (lost_ != PacketFault::none) {
            const std::int64_t found = find_header(data, at, bytes, bytes);
            if (found < 0 && !last) {
                at = std::max(at, bytes - marker_end + 1);
                break;
            }
            at = found < 0 ? bytes : found;
            damage.push_back({lost_, lost_at_, position_ + at - lost_at_});
            lost_ = PacketFault::none;
            continue;
        }
        if (left < header_bytes) {
            leave_out(PacketFault::truncated, bytes);
            break;
        }
        PacketHeader header;
        const PacketFault fault = read_header(data + at, static_cast<std::size_t>(left), header);
        if (fault != PacketFault::none && fault < PacketFault::baq_mode) {
            lost_ = fault;
            lost_at_ = position_ + at++;
            continue;
        }
        const std::int64_t end = at + header.bytes;
        const bool followed = end + marker_end > bytes ? end <= bytes : framing_fault(data + end) == PacketFault::none;
        if (!followed) {  // octets are missing from it, or damage follows it
            const std::int64_t found = find_header(data, at + marker_end, std::min(end, bytes), bytes);
            if (found >= 0 || end > bytes) {
                leave_out(found >= 0 ? PacketFault::cut_short : PacketFault::truncated, found >= 0 ? found : bytes);
                continue;
            }
        }
        if (fault != PacketFault::none) {
            leave_out(fault, end);
            continue;
        }
        header.offset = position_ + at;
        packets.push_back(header);
        at = end;
    }
    position_ += at;
}

}  // namespace sidelook::sentinel1
