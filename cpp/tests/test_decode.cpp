// Decoding of Sentinel-1 space packets: against codes that are known, and on damage of every kind, which must be named
// and must not be read beyond (this program also runs under the sanitizers).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "decode/sample_kernels.h"
#include "harness.h"
#include "packets.h"
#include "sidelook/decode.h"

using namespace sidelook;
using namespace sidelook::sentinel1;

namespace
{

using Octets = std::vector<std::uint8_t>;

class Random
{
public:
    explicit Random(std::uint64_t seed) : noise_(seed) {}
    unsigned operator()(unsigned n)
    {
        return std::min(n - 1, static_cast<unsigned>((noise_() + 1) / 2 * static_cast<double>(n)));
    }

private:
    harness::Noise noise_;
};

double level(const packets::Codes &codes, int channel, std::size_t i)
{
    const int symbol = codes.channel[channel][i];
    if (codes.baq_mode == 0) return symbol & 512 ? -(symbol & 511) : symbol;
    const int index = codes.threshold_index[i / 128];
    const double magnitude = codes.baq_mode >= 12 ? fdbaq_level(codes.bit_rate_code[i / 128], index, symbol & 15)
                                                  : baq_level(codes.baq_mode, index, symbol & 15);
    return symbol & 16 ? -magnitude : magnitude;
}

struct Decoded {
    std::vector<PacketHeader> headers;
    std::vector<Damage> damage;
    std::vector<PacketFault> faults;
    std::vector<c64> samples;  ///< rows of `cols`
    std::int64_t cols = 0;
};

/// Scans in pieces of the least length, or all at once, then decodes what was found. The octets are copied to where
/// nothing follows them, so that a sanitizer sees what is read beyond.
Decoded decode_all(const Octets &file, bool in_pieces = false, int threads = 1)
{
    Decoded d;
    PacketScanner scanner;
    const auto size = static_cast<std::int64_t>(file.size());
    for (bool last = false; !last;) {
        const std::int64_t from = scanner.position();
        const std::int64_t bytes = in_pieces ? std::min(PacketScanner::least_piece, size - from) : size - from;
        last = from + bytes == size;
        const std::unique_ptr<std::uint8_t[]> piece(new std::uint8_t[static_cast<std::size_t>(bytes)]);
        std::copy_n(file.begin() + from, bytes, piece.get());
        scanner.scan(piece.get(), bytes, last, d.headers, d.damage);
    }
    const std::unique_ptr<std::uint8_t[]> whole(new std::uint8_t[file.size()]);
    std::copy(file.begin(), file.end(), whole.get());
    for (const PacketHeader &h : d.headers) d.cols = std::max<std::int64_t>(d.cols, 2 * h.quads);
    d.faults.resize(d.headers.size());
    d.samples.resize(d.headers.size() * static_cast<std::size_t>(d.cols));
    const std::vector<std::int64_t> columns(d.headers.size(), 0);
    decode_packets(whole.get(), size, 0, d.headers.data(), columns.data(), threads,
                   {d.samples.data(), static_cast<std::int64_t>(d.headers.size()), d.cols}, d.faults.data());
    return d;
}

bool same(const Decoded &a, const Decoded &b)
{
    return a.faults == b.faults && a.damage.size() == b.damage.size() && a.samples.size() == b.samples.size() &&
           std::equal(a.damage.begin(), a.damage.end(), b.damage.begin(),
                      [](const Damage &x, const Damage &y) {
                          return x.reason == y.reason && x.offset == y.offset && x.bytes == y.bytes;
                      }) &&
           std::memcmp(a.samples.data(), b.samples.data(), a.samples.size() * sizeof(c64)) == 0;
}

const int modes[] = {0, 3, 4, 5, 12, 13, 14};

}  // namespace

TEST(decode, samples_are_those_of_the_codes)
{
    Random random(11);
    for (const int mode : modes)
        for (const std::size_t quads : {1u, 2u, 7u, 127u, 128u, 129u, 300u, 1000u, 65535u})
            for (int rate = mode >= 12 ? 0 : 4; rate <= 5; ++rate) {
                if (quads == 65535u && rate < 5) continue;
                const packets::Codes codes = packets::random_codes(mode, quads, rate < 5 ? rate : -1, random);
                const Octets octets = packets::packet(codes);
                if (octets.size() > static_cast<std::size_t>(largest_packet)) continue;  // no packet holds them
                const Decoded d = decode_all(octets);
                CHECK(d.headers.size() == 1 && d.damage.empty());
                CHECK(d.faults[0] == PacketFault::none);
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < quads; ++i) {
                    // Single precision of the double, exactly.
                    wrong += d.samples[2 * i] !=
                             c64(static_cast<float>(level(codes, 0, i)), static_cast<float>(level(codes, 2, i)));
                    wrong += d.samples[2 * i + 1] !=
                             c64(static_cast<float>(level(codes, 1, i)), static_cast<float>(level(codes, 3, i)));
                }
                CHECK_NEAR(static_cast<double>(wrong), 0, 0);
            }
}

TEST(decode, header_fields_have_their_units)
{
    Random random(12);
    const Octets octets = packets::packet(packets::random_codes(12, 10779, -1, random), 70);
    PacketHeader h;
    CHECK(read_header(octets.data(), octets.size(), h) == PacketFault::none);
    CHECK(h.bytes == octets.size() && h.space_packet_count == 70 && h.pri_count == 170 && h.ancillary_index == 7);
    CHECK_NEAR(h.time_gps_s, 1276273467.0 + (0x8000 + 0.5) / 65536, 1e-6);
    CHECK_NEAR(h.tx_ramp_rate_hz_per_s, 2002 * 37.53472224e6 * 37.53472224e6 / 2097152, 1);
    CHECK_NEAR(h.tx_start_frequency_hz, h.tx_ramp_rate_hz_per_s / (4 * 37.53472224e6) - 12970 * 37.53472224e6 / 16384,
               1e-3);
    CHECK_NEAR(h.tx_pulse_length_s, 1658 / 37.53472224e6, 1e-15);
    CHECK_NEAR(h.sample_rate_hz, 37.53472224e6 * 16 / 9, 1e-6);
    CHECK_NEAR(h.first_sample_delay_s, (10 * 0x4c2b + 0x1497 + 40) / 37.53472224e6, 1e-15);
    CHECK_NEAR(h.rx_gain_db, -4, 0);
    CHECK(h.rank == 10 && h.polarisation == 7 && h.swath == 2 && h.tx_pulse_number == 2 && h.calibration == 0);
    CHECK(h.window_samples == 21558 && h.window_samples == 2u * h.quads);
    CHECK_REFUSED(Code::bad_input, "range_decimation is 2; must be 0, 1 or 3 to 11", range_filter(2));
    CHECK_REFUSED(Code::bad_input, "bits is 6; must be 3 to 5", baq_level(6, 0, 0));
}

TEST(decode, every_fault_is_named)
{
    Random random(13);
    const packets::Codes codes = packets::random_codes(12, 300, 2, random);
    const Octets good = packets::packet(codes);
    const auto fault_of = [&](std::size_t at, std::uint8_t value) {
        Octets octets = good;
        octets[at] = value;
        PacketHeader h;
        return read_header(octets.data(), octets.size(), h);
    };
    CHECK(fault_of(0, 0x2c) == PacketFault::version);
    CHECK(fault_of(0, 0x04) == PacketFault::packet_type && fault_of(0, 0x1c) == PacketFault::packet_type);
    CHECK(fault_of(1, 0x1d) == PacketFault::identifier);
    CHECK(fault_of(2, 0x40) == PacketFault::segmented);
    CHECK(fault_of(5, static_cast<std::uint8_t>(good[5] + 1)) == PacketFault::length);
    CHECK(fault_of(12, 0x36) == PacketFault::sync_marker);
    CHECK(fault_of(37, 6) == PacketFault::baq_mode);
    CHECK(fault_of(21, 0x50) == PacketFault::baq_mode);
    CHECK(fault_of(38, 30) == PacketFault::baq_block_length);
    CHECK(fault_of(40, 2) == PacketFault::range_decimation && fault_of(40, 12) == PacketFault::range_decimation);
    PacketHeader h;
    CHECK(read_header(good.data(), 67, h) == PacketFault::truncated);

    Octets octets = good;
    octets[65] = octets[66] = 0;
    CHECK(decode_all(octets).damage.at(0).reason == PacketFault::no_samples);
    octets = good;
    octets[68] |= 0xe0;
    CHECK(decode_all(octets).faults.at(0) == PacketFault::bit_rate_code);
    CHECK(std::isnan(decode_all(octets).samples.at(7).real()));
    octets = good;
    octets[65] = 3;  // more quads than there are
    CHECK(decode_all(octets).faults.at(0) == PacketFault::bits_past_end ||
          decode_all(octets).faults.at(0) == PacketFault::bit_rate_code);
    for (const int mode : {0, 3, 4, 5}) {
        octets = packets::packet(packets::random_codes(mode, 300, -1, random));
        octets[65] = 2;
        CHECK(decode_all(octets).faults.at(0) == PacketFault::bits_past_end);
        octets[65] = 0;
        CHECK(decode_all(octets).faults.at(0) == PacketFault::bits_left_over);
    }
    for (int f = 0; f < packet_faults; ++f) CHECK(std::strcmp(fault_name(static_cast<PacketFault>(f)), "unknown") != 0);
}

TEST(decode, the_rest_of_a_damaged_file_is_kept)
{
    Random random(14);
    std::vector<Octets> all;
    for (std::uint32_t i = 0; i < 60; ++i)
        all.push_back(packets::packet(packets::random_codes(modes[i % 7], 2000 + random(2000), -1, random), i));
    const auto joined = [&](std::size_t changed, const Octets &instead) {
        Octets file;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Octets &p = i == changed ? instead : all[i];
            file.insert(file.end(), p.begin(), p.end());
        }
        return file;
    };
    const auto found = [&](const Octets &file, PacketFault reason, std::size_t kept) {
        const Decoded d = decode_all(file);
        CHECK(d.headers.size() == kept);
        CHECK(d.damage.size() == 1 && d.damage[0].reason == reason);
        std::int64_t sum = d.damage.empty() ? 0 : d.damage[0].bytes;
        for (const PacketHeader &h : d.headers) sum += h.bytes;
        CHECK(sum == static_cast<std::int64_t>(file.size()));  // every octet is accounted for
        CHECK(std::count(d.faults.begin(), d.faults.end(), PacketFault::none) == static_cast<std::ptrdiff_t>(kept));
        CHECK(same(d, decode_all(file, true)) && same(d, decode_all(file, true, 5)));
    };
    Octets p = all[20];
    p[13] ^= 4;
    found(joined(20, p), PacketFault::sync_marker, 59);
    p = all[20];
    p.resize(p.size() / 2);
    found(joined(20, p), PacketFault::cut_short, 59);
    p.resize(9);
    found(joined(20, p), PacketFault::sync_marker, 59);
    p = all[20];
    p.insert(p.end(), 1001, 0x0c);  // something between two packets
    found(joined(20, p), PacketFault::identifier, 60);
    p = all[20];
    p[4] ^= 0x40;  // a length that is wrong, up or down
    found(joined(20, p), p[4] & 0x40 ? PacketFault::cut_short : PacketFault::version, p[4] & 0x40 ? 59 : 60);
    p = all[59];
    p.resize(p.size() - 1);
    found(joined(59, p), PacketFault::truncated, 59);
    p.resize(67);
    found(joined(59, p), PacketFault::truncated, 59);
}

TEST(decode, neighbours_do_not_matter)
{
    Random random(17);
    for (int turn = 0; turn < 40; ++turn) {
        Octets pair[2], both;
        for (Octets &p : pair) {
            p = packets::packet(packets::random_codes(random(4) ? 12 : 4, 1 + random(900), -1, random));
            if (random(2)) p[68 + random(static_cast<unsigned>(p.size()) - 68)] ^= 0x55;  // a fault, perhaps
            both.insert(both.end(), p.begin(), p.end());
        }
        const Decoded together = decode_all(both);
        for (std::size_t k = 0; k < 2; ++k) {
            const Decoded alone = decode_all(pair[k]);
            CHECK(together.faults[k] == alone.faults[0]);
            const auto row = static_cast<std::size_t>(together.cols) * k;
            CHECK(std::memcmp(&together.samples[row], alone.samples.data(), alone.samples.size() * sizeof(c64)) == 0);
        }
    }
}

TEST(decode, no_damage_reads_out_of_bounds)
{
    Random random(15);
    std::vector<Octets> seeds;
    for (const int mode : modes)
        for (const std::size_t quads : {1u, 130u, 400u})
            seeds.push_back(packets::packet(packets::random_codes(mode, quads, -1, random)));
    std::int64_t kept = 0, refused = 0;
    for (int turn = 0; turn < 20000; ++turn) {
        Octets file = seeds[random(static_cast<unsigned>(seeds.size()))];
        if (random(2)) {
            const Octets &second = seeds[random(static_cast<unsigned>(seeds.size()))];
            file.insert(file.end(), second.begin(), second.end());
        }
        for (unsigned k = random(4); k > 0; --k) {
            const unsigned at = random(2) ? random(static_cast<unsigned>(file.size())) : random(68);
            file[std::min<std::size_t>(at, file.size() - 1)] = static_cast<std::uint8_t>(random(256));
        }
        if (random(3) == 0) file.resize(random(static_cast<unsigned>(file.size()) + 1));
        const Decoded d = decode_all(file);
        std::int64_t octets = 0;
        for (const PacketHeader &h : d.headers) octets += h.bytes;
        for (const Damage &x : d.damage) octets += x.bytes;
        CHECK(octets == static_cast<std::int64_t>(file.size()));
        for (const PacketFault f : d.faults) ++(f == PacketFault::none ? kept : refused);
    }
    std::printf("  %lld packets decoded, %lld refused\n", static_cast<long long>(kept),
                static_cast<long long>(refused));
    CHECK(kept > 1000 && refused > 300);
}

TEST(decode, plans_are_checked)
{
    Random random(16);
    const Octets octets = packets::packet(packets::random_codes(5, 100, -1, random));
    Decoded d = decode_all(octets);
    const auto again = [&](std::int64_t column, std::int64_t offset) {
        d.headers[0].offset = offset;
        decode_packets(octets.data(), static_cast<std::int64_t>(octets.size()), 0, d.headers.data(), &column, 1,
                       {d.samples.data(), 1, d.cols}, d.faults.data());
    };
    CHECK_REFUSED(Code::bad_input, "packet 0 has 200 samples from column 1 on; must lie within the row's 200",
                  again(1, 0));
    CHECK_REFUSED(Code::bad_input, "from column -1 on", again(-1, 0));
    CHECK_REFUSED(Code::bad_input, "must lie within the", again(0, 4));
    CHECK_REFUSED(Code::bad_input, "must lie within the", again(0, INT64_MIN));
    CHECK_REFUSED(Code::bad_input, "must lie within the", again(0, INT64_MAX));
    PacketScanner scanner;
    CHECK_REFUSED(Code::bad_input, "bytes is 100; must be at least 131084 for every piece but the last",
                  scanner.scan(octets.data(), 100, false, d.headers, d.damage));
}

TEST(decode, ancillary_words_are_put_together)
{
    std::uint16_t words[65] = {};
    const auto put = [&](int first, std::uint64_t bits, int count) {
        for (int k = 0; k < count; ++k) words[first + k] = static_cast<std::uint16_t>(bits >> 16 * (count - 1 - k));
    };
    const auto put64 = [&](int first, double x) {
        std::uint64_t bits;
        std::memcpy(&bits, &x, 8);
        put(first, bits, 4);
    };
    const auto put32 = [&](int first, float x) {
        std::uint32_t bits;
        std::memcpy(&bits, &x, 4);
        put(first, bits, 2);
    };
    const double place[] = {4e6, -3e6, 5e6};
    const float speed[] = {1000.5f, -7000.25f, 2500}, turn[] = {0.5f, -0.5f, 0.5f, 0.5f},
                rate[] = {1e-3f, -2e-3f, 3e-3f};
    for (int i = 0; i < 3; ++i) put64(1 + 4 * i, place[i]), put32(13 + 2 * i, speed[i]), put32(31 + 2 * i, rate[i]);
    for (int i = 0; i < 4; ++i) put32(23 + 2 * i, turn[i]);
    put(19, 0xff00000000000000u | 1276273467ull << 24 | 0x800000, 4);  // the first octet has no meaning
    put(37, 1276273468ull << 24, 4);
    words[41] = 0x0502;
    words[43] = 0x0430;
    words[64] = 0x0060;
    std::vector<PacketHeader> headers;
    for (std::uint32_t i = 0; i < 192; ++i) {
        PacketHeader h;
        h.space_packet_count = i;
        h.ancillary_index = static_cast<std::uint8_t>(i % 64 + 1);
        h.ancillary_word = words[i % 64 + 1];
        h.time_gps_s = i;
        headers.push_back(h);
    }
    const Ancillary whole = assemble_ancillary(headers.data(), 192);
    CHECK(whole.orbit.size() == 1 && whole.attitude.size() == 1 && whole.temperatures.size() == 3);
    CHECK_NEAR(whole.orbit[0].time_gps_s, 1276273467.5, 0);
    CHECK_NEAR(whole.orbit[0].position_m.y, -3e6, 0);
    CHECK_NEAR(whole.orbit[0].velocity_m_per_s.y, -7000.25, 0);
    CHECK_NEAR(whole.attitude[0].time_gps_s, 1276273468, 0);
    CHECK_NEAR(whole.attitude[0].quaternion[1], -0.5, 0);
    CHECK_NEAR(whole.attitude[0].rates_rad_per_s.z, 3e-3f, 0);
    CHECK(whole.attitude[0].pointing_status == 0x0502);
    CHECK_NEAR(whole.temperatures[0].efe_h_c[0], -51.38, 0);
    CHECK_NEAR(whole.temperatures[0].efe_v_c[0], -1, 0);
    CHECK(std::isnan(whole.temperatures[0].ta_c[3]));  // code 0
    CHECK(whole.temperatures[0].timing_unit_code == 0x60);
    // Without one word its group is missing, and no other.
    for (const int lost : {10, 30, 50}) {
        std::vector<PacketHeader> some(headers.begin(), headers.begin() + 64);
        some.erase(some.begin() + lost);
        const Ancillary rest = assemble_ancillary(some.data(), 63);
        CHECK(rest.orbit.size() == (lost == 10 ? 0u : 1u) && rest.attitude.size() == (lost == 30 ? 0u : 1u) &&
              rest.temperatures.size() == (lost == 50 ? 0u : 1u));
    }
    // 64 lost at once leave the index in order, and the count tells.
    std::vector<PacketHeader> jump(headers.begin(), headers.begin() + 10);
    jump.insert(jump.end(), headers.begin() + 74, headers.begin() + 100);
    CHECK(assemble_ancillary(jump.data(), 36).orbit.empty());
}
