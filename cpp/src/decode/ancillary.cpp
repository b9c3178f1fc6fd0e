// Sub-commutated ancillary data: one 16-bit word a packet, 64 in turn (the standard's section 3.2.3).
#include <array>
#include <cmath>
#include <cstring>

#include "decode/tables.h"
#include "sidelook/decode.h"

namespace sidelook::sentinel1
{
namespace
{

/// The words of one receive channel, and how many in a row have come without a gap.
class Words
{
public:
    void add(const PacketHeader &h)
    {
        const int index = h.ancillary_index;
        // As long as fewer than 64 packets are lost, a loss shows in the index.
        const bool next = index == last_ + 1 && h.space_packet_count - last_count_ < 64;
        run_ = index < 1 || index > 64 ? 0 : next ? run_ + 1 : 1;
        last_ = index;
        last_count_ = h.space_packet_count;
        if (run_ > 0) words_[static_cast<std::size_t>(index)] = h.ancillary_word;
    }
    /// Whether words first to last are whole, the last having come just now.
    bool whole(int first, int last) const { return last_ == last && run_ >= last - first + 1; }
    std::uint16_t word(int index) const { return words_[static_cast<std::size_t>(index)]; }
    std::uint64_t bits(int first, int count) const
    {
        std::uint64_t v = 0;
        for (int i = first; i < first + count; ++i) v = v << 16 | word(i);
        return v;
    }
    double float64(int first) const
    {
        const std::uint64_t v = bits(first, 4);
        double d;
        std::memcpy(&d, &v, sizeof d);
        return d;
    }
    double float32(int first) const
    {
        const auto v = static_cast<std::uint32_t>(bits(first, 2));
        float f;
        std::memcpy(&f, &v, sizeof f);
        return f;
    }
    /// GPS seconds from 56 bits that count 2^-24 s; 8 bits before them have no meaning.
    double time(int first) const { return static_cast<double>(bits(first, 4) & 0xffffffffffffff) / (1 << 24); }
    std::uint8_t octet(int first, int n) const
    {
        return static_cast<std::uint8_t>(n % 2 ? word(first + n / 2) : word(first + n / 2) >> 8);
    }

private:
    std::array<std::uint16_t, 65> words_{};
    int last_ = 0, run_ = 0;
    std::uint32_t last_count_ = 0;
};

void add_orbit(const Words &w, std::vector<OrbitState> &orbit)
{
    OrbitState s;
    s.position_m = {w.float64(1), w.float64(5), w.float64(9)};
    s.velocity_m_per_s = {w.float32(13), w.float32(15), w.float32(17)};
    s.time_gps_s = w.time(19);
    const double radius = std::hypot(s.position_m.x, s.position_m.y, s.position_m.z);
    const double speed = std::hypot(s.velocity_m_per_s.x, s.velocity_m_per_s.y, s.velocity_m_per_s.z);
    const bool plausible = radius > 6.4e6 && radius < 8e6 && speed > 5e3 && speed < 1e4;  // NaN is not
    if (plausible && (orbit.empty() || s.time_gps_s > orbit.back().time_gps_s)) orbit.push_back(s);
}

void add_attitude(const Words &w, std::vector<AttitudeState> &attitude)
{
    AttitudeState s;
    double norm = 0;
    for (int i = 0; i < 4; ++i) {
        s.quaternion[i] = w.float32(23 + 2 * i);
        norm += s.quaternion[i] * s.quaternion[i];
    }
    s.rates_rad_per_s = {w.float32(31), w.float32(33), w.float32(35)};
    s.time_gps_s = w.time(37);
    s.pointing_status = w.word(41);
    const bool plausible = std::abs(std::sqrt(norm) - 1) < 0.01;
    if (plausible && (attitude.empty() || s.time_gps_s > attitude.back().time_gps_s)) attitude.push_back(s);
}

Temperatures temperatures(const Words &w, double time_gps_s)
{
    Temperatures t;
    t.time_gps_s = time_gps_s;
    t.update_status = w.word(42);
    for (int tile = 0; tile < 14; ++tile) {
        t.efe_h_c[tile] = front_end_temperature_c(w.octet(43, 3 * tile));
        t.efe_v_c[tile] = front_end_temperature_c(w.octet(43, 3 * tile + 1));
        t.ta_c[tile] = front_end_temperature_c(w.octet(43, 3 * tile + 2));
    }
    t.timing_unit_code = w.word(64) & 127;
    return t;
}

}  // namespace

Ancillary assemble_ancillary(const PacketHeader *packets, std::int64_t n)
{
    Ancillary found;
    std::array<Words, 2> channels;
    for (std::int64_t i = 0; i < n; ++i) {
        Words &w = channels[packets[i].rx_channel & 1];
        w.add(packets[i]);
        if (w.whole(1, 22)) add_orbit(w, found.orbit);
        if (w.whole(23, 41)) add_attitude(w, found.attitude);
        if (w.whole(42, 64)) found.temperatures.push_back(temperatures(w, packets[i].time_gps_s));
    }
    return found;
}

}  // namespace sidelook::sentinel1
