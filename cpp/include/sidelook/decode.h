// Sentinel-1 Level-0: from space packets to complex samples. Layout, units and tables are those of "Sentinel-1 SAR
// Space Packet Protocol Data Unit", S1-IF-ASD-PL-0007, issue 13 (here: the standard); docs/raw-data.md tells how they
// are read. Packets are untrusted: whatever the bytes are, nothing outside them is read, and what cannot be right is
// named by a PacketFault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sidelook/acquisition.h"
#include "sidelook/view.h"

namespace sidelook::sentinel1
{

/// The instrument's reference frequency (Hz): every time in a packet counts its periods.
constexpr double reference_frequency_hz = 37.53472224e6;
constexpr std::int64_t header_bytes = 68;           ///< primary header 6, secondary header 62
constexpr std::int64_t largest_packet = 6 + 65536;  ///< the length field has 16 bits

/// Why a packet, or a run of bytes where one should begin, was left out.
enum class PacketFault : std::uint8_t {
    none,
    truncated,         ///< the data end within it
    cut_short,         ///< the next packet begins within it
    version,           ///< packet version is not 0
    packet_type,       ///< not telemetry, or without a secondary header
    identifier,        ///< process and category are not 65 and 12, those of SAR data
    segmented,         ///< sequence flags are not 3: a part of something
    length,            ///< too short for its headers, or not a multiple of 4 octets
    sync_marker,       ///< not 0x352EF853
    baq_mode,          ///< no mode of the standard, or one that its test mode excludes
    baq_block_length,  ///< blocks are not of 256 samples
    range_decimation,  ///< no filter of the standard
    no_samples,        ///< number of quads is 0
    bit_rate_code,     ///< a block's bit rate code is above 4
    bits_past_end,     ///< its samples take more bits than it has
    bits_left_over,    ///< its samples take fewer octets than it has
};
constexpr int packet_faults = 16;
const char *fault_name(PacketFault fault);

enum class SignalType : std::uint8_t {
    echo = 0,
    noise = 1,
    tx_cal = 8,
    rx_cal = 9,
    epdn_cal = 10,
    ta_cal = 11,  ///< of S1A and S1B; of S1C and S1D the isolation measurement of the transmit path
    apdn_cal = 12,
    txh_cal_iso = 15,
};
/// echo, noise, tx_cal ...; signal_N where the standard names none.
std::string signal_name(int signal_type);

/// Decimation filter of the receiver (the standard's section 3.2.5.4).
struct RangeFilter {
    double bandwidth_hz = 0;
    int up = 0, down = 0;  ///< output rate over the converter's, 4 reference_frequency_hz
    int taps = 0;
    double sample_rate_hz() const { return 4 * reference_frequency_hz * up / down; }
};
bool is_range_filter(int code);
/// Throws Error(bad_input) unless is_range_filter(code).
RangeFilter range_filter(int code);

/// Both headers of a packet, every field. Times are seconds; `_code` is what the packet says, where the value beside it
/// is derived from it.
struct PacketHeader {
    std::int64_t offset = 0;  ///< of its first octet, in the file
    double time_gps_s = 0;    ///< datation: GPS seconds, since 1980-01-06T00:00:00
    double pri_s = 0;         ///< pulse repetition interval
    double swst_s = 0;        ///< sampling window start time, after the start of a repetition interval
    double swl_s = 0;         ///< sampling window length, before decimation
    /// From the leading edge of the pulse that the window listens to, `rank` intervals earlier, to the first sample:
    /// rank PRI + SWST + the decimation filter's transient, 320 periods of 8 times the reference frequency.
    double first_sample_delay_s = 0;
    double sample_rate_hz = 0;         ///< after decimation
    double tx_ramp_rate_hz_per_s = 0;  ///< TXPRR, negative for a down-chirp
    double tx_start_frequency_hz = 0;  ///< TXPSF, relative to the carrier
    double tx_pulse_length_s = 0;      ///< TXPL
    double rx_gain_db = 0;             ///< 0 to -31: attenuation
    std::uint32_t bytes = 0;           ///< of the whole packet
    std::uint32_t coarse_time = 0;     ///< GPS seconds
    std::uint32_t data_take = 0;
    std::uint32_t instrument_configuration = 0;
    std::uint32_t space_packet_count = 0, pri_count = 0;
    std::uint32_t tx_pulse_length_code = 0, pri_code = 0, swst_code = 0, swl_code = 0;  ///< reference periods
    /// Complex samples that SWL and the decimation filter make (section 5.1); 2 quads in a sound packet.
    std::uint32_t window_samples = 0;
    std::uint16_t sequence_count = 0;  ///< of the primary header, modulo 2^14
    std::uint16_t fine_time = 0;       ///< 2^-16 s, to which one half is added
    std::uint16_t ancillary_word = 0;
    std::uint16_t quads = 0;  ///< pairs of complex samples
    std::uint16_t tx_ramp_code = 0, tx_start_code = 0;
    std::uint16_t azimuth_beam = 0;    ///< address; of calibration packets the calibration beam's
    std::uint8_t ancillary_index = 0;  ///< 1 to 64, 0: none
    std::uint8_t ecc_number = 0;       ///< event control code: the measurement mode
    std::uint8_t test_mode = 0;
    std::uint8_t rx_channel = 0;  ///< 0: V, 1: H
    std::uint8_t error_flag = 0;
    std::uint8_t baq_mode = 0;  ///< 0: bypass; 3, 4, 5: BAQ; 12, 13, 14: FDBAQ
    std::uint8_t baq_block_code = 0;
    std::uint8_t range_decimation = 0;
    std::uint8_t rx_gain_code = 0;
    std::uint8_t rank = 0;          ///< repetition intervals between a pulse and its echo
    std::uint8_t calibration = 0;   ///< SSB flag: the two addresses are those of a calibration packet
    std::uint8_t polarisation = 0;  ///< bit 2: V transmitted (else H); low bits 0: none received, 1: H, 2: V, 3: both
    std::uint8_t temperature_compensation = 0;
    std::uint8_t elevation_beam = 0;                  ///< imaging packets only
    std::uint8_t sas_test = 0, calibration_type = 0;  ///< calibration packets only
    std::uint8_t calibration_mode = 0;
    std::uint8_t tx_pulse_number = 0;
    std::uint8_t signal_type = 0;  ///< SignalType
    std::uint8_t swap = 0;
    std::uint8_t swath = 0;  ///< number of the swath within the instrument's tables: stripmap 0 to 9, IW 10 to 12 ...
};

/// Reads the headers at `data`; the offset is left 0. none: they are sound; the user data are not looked at. With less
/// than 68 octets: truncated, and nothing is filled in.
PacketFault read_header(const std::uint8_t *data, std::size_t bytes, PacketHeader &header);

/// Bytes that were left out, and why.
struct Damage {
    PacketFault reason = PacketFault::none;
    std::int64_t offset = 0, bytes = 0;
};

/// Finds the packets of a file that is handed over piece by piece; the result does not depend on the pieces. After
/// damage it goes on at the next header whose fixed fields and sync marker are right.
class PacketScanner
{
public:
    /// Pieces must be longer than this, but for the last.
    static constexpr std::int64_t least_piece = 2 * largest_packet;
    /// Where the next piece must begin, in the file.
    std::int64_t position() const { return position_; }
    /// Takes what follows position(); appends what it finds and moves position() on. `last`: the file ends with this
    /// piece. Throws Error(bad_input) if the piece is shorter than it must be.
    void scan(const std::uint8_t *data, std::int64_t bytes, bool last, std::vector<PacketHeader> &packets,
              std::vector<Damage> &damage);

private:
    std::int64_t position_ = 0, lost_at_ = 0;
    PacketFault lost_ = PacketFault::none;  ///< why we look for the next header, or none
};

/// Decodes packets into rows: samples of packets[i] to out(i, columns[i]) on, 0 before and after. A packet whose
/// samples cannot be right makes a row of NaN and faults[i]. `data` holds the file from data_offset on. Throws
/// Error(bad_input) if a packet does not lie within data or its samples not within the row. The result does not depend
/// on `threads` (0: all).
void decode_packets(const std::uint8_t *data, std::int64_t bytes, std::int64_t data_offset, const PacketHeader *packets,
                    const std::int64_t *columns, int threads, View2<c64> out, PacketFault *faults);

/// Lines whose samples lie `shift_samples` (-1 to 1) beyond their columns, interpolated in place to where the columns
/// are: their spectrum is turned. What a line's ends lack outside their window is taken as 0.
void align_lines(View2<c64> lines, double shift_samples, int threads);

/// One state of the navigation solution, Earth-fixed (ECEF, WGS84).
struct OrbitState {
    double time_gps_s = 0;
    Vec3 position_m, velocity_m_per_s;
};

/// One attitude solution: quaternion as telemetered (q0 first) and angular rates about the body's axes.
struct AttitudeState {
    double time_gps_s = 0;
    double quaternion[4] = {};
    Vec3 rates_rad_per_s;
    std::uint16_t pointing_status = 0;  ///< high octet: mode; low bits 2, 1, 0: roll, pitch, yaw in error
};

/// Temperatures of the antenna's 14 tiles (degrees Celsius, NaN for codes without one): electronic front ends H and V,
/// tile amplifier. The code of the timing unit is left as it is: it has a meaning on S1A and S1B only.
struct Temperatures {
    double time_gps_s = 0;  ///< of the packet that completed them
    std::uint16_t update_status = 0;
    double efe_h_c[14] = {}, efe_v_c[14] = {}, ta_c[14] = {};
    std::uint8_t timing_unit_code = 0;
};

struct Ancillary {
    std::vector<OrbitState> orbit;
    std::vector<AttitudeState> attitude;
    std::vector<Temperatures> temperatures;
};

/// Puts the sub-commutated words together, one a packet, 64 in turn. A group of them counts only if none is missing: a
/// lost packet costs that group. Solutions that are repeated are given once; those that are no place near the Earth's
/// orbits (a radius of 6.4 to 8 million metres) or no unit quaternion (within 0.01) are left out.
Ancillary assemble_ancillary(const PacketHeader *packets, std::int64_t n);

/// Reconstruction level of a sample's magnitude code (section 5.2): bit_rate_code 0 to 4 of FDBAQ; or 3, 4, 5 bits of
/// BAQ. Throws Error(bad_input) for codes that there are not.
double fdbaq_level(int bit_rate_code, int threshold_index, int magnitude_code);
double baq_level(int bits, int threshold_index, int magnitude_code);

}  // namespace sidelook::sentinel1
