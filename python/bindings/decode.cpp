// Sentinel-1 space packets: scanning, decoding, ancillary data. Headers go to Python as one structured array.
#include "sidelook/decode.h"
#include "bindings.h"

using namespace sidelook;
using namespace sidelook::sentinel1;

namespace
{

using Headers = py::array_t<PacketHeader, py::array::c_style>;

const PacketHeader *header_data(const py::array &packets)
{
    require(py::isinstance<Headers>(packets) && packets.ndim() == 1 &&
                reinterpret_cast<std::uintptr_t>(packets.data()) % alignof(PacketHeader) == 0,
            "packets have dtype " + std::string(py::str(packets.dtype())).substr(0, 60) +
                "; must be a contiguous array of headers as PacketScanner makes them");
    return static_cast<const PacketHeader *>(packets.data());
}

template <class T> const T *octets(const py::array_t<T, py::array::c_style> &data, const char *name)
{
    require(data.ndim() == 1, std::string(name) + " has " + std::to_string(data.ndim()) + " dimensions; must have 1");
    return data.data();
}

py::tuple scan(PacketScanner &scanner, const array_in<std::uint8_t> &piece, bool last)
{
    std::vector<PacketHeader> packets;
    std::vector<Damage> damage;
    const std::uint8_t *data = octets(piece, "piece");
    {
        const py::gil_scoped_release release;
        scanner.scan(data, piece.size(), last, packets, damage);
    }
    py::list left_out;
    for (const Damage &d : damage) left_out.append(py::make_tuple(fault_name(d.reason), d.offset, d.bytes));
    return py::make_tuple(Headers(static_cast<py::ssize_t>(packets.size()), packets.data()), left_out);
}

/// Rows that lie in the caller's memory: a converted copy would be filled and thrown away.
View2<c64> rows_of(py::array &out, py::ssize_t rows)
{
    constexpr auto item = static_cast<py::ssize_t>(sizeof(c64));
    require(std::string(py::str(out.dtype())) == "complex64" && out.ndim() == 2 && out.writeable() &&
                out.shape(0) == rows && (out.shape(1) <= 1 || out.strides(1) == item) &&
                (rows <= 1 || (out.strides(0) > 0 && out.strides(0) % item == 0)),
            "out must be a writeable complex64 array of " + std::to_string(rows) + " contiguous rows");
    return {static_cast<c64 *>(out.mutable_data()), out.shape(0), out.shape(1), out.strides(0) / item};
}

py::array_t<std::uint8_t> decode(const array_in<std::uint8_t> &data, std::int64_t data_offset, const py::array &packets,
                                 const array_in<std::int64_t> &columns, py::array out, int threads)
{
    const PacketHeader *headers = header_data(packets);
    const std::uint8_t *bytes = octets(data, "data");
    const std::int64_t *first = octets(columns, "columns");
    require(columns.size() == packets.size(), "columns must be as many as packets");
    const View2<c64> samples = rows_of(out, packets.size());
    py::array_t<std::uint8_t> faults(packets.size());
    auto *found = reinterpret_cast<PacketFault *>(faults.mutable_data());
    const py::gil_scoped_release release;
    decode_packets(bytes, data.size(), data_offset, headers, first, threads, samples, found);
    return faults;
}

template <class Row, class Put> py::array_t<double> table(const std::vector<Row> &rows, py::ssize_t columns, Put put)
{
    py::array_t<double> out({static_cast<py::ssize_t>(rows.size()), columns});
    for (std::size_t i = 0; i < rows.size(); ++i) put(rows[i], out.mutable_data(static_cast<py::ssize_t>(i)));
    return out;
}

py::dict ancillary(const py::array &packets)
{
    const Ancillary found = assemble_ancillary(header_data(packets), packets.size());
    py::dict d;
    d["orbit"] = table(found.orbit, 7, [](const OrbitState &s, double *to) {
        const Vec3 &p = s.position_m, &v = s.velocity_m_per_s;
        for (const double x : {s.time_gps_s, p.x, p.y, p.z, v.x, v.y, v.z}) *to++ = x;
    });
    d["attitude"] = table(found.attitude, 9, [](const AttitudeState &s, double *to) {
        const Vec3 &r = s.rates_rad_per_s;
        const double *q = s.quaternion;
        for (const double x : {s.time_gps_s, q[0], q[1], q[2], q[3], r.x, r.y, r.z, double(s.pointing_status)})
            *to++ = x;
    });
    d["temperatures"] = table(found.temperatures, 45, [](const Temperatures &t, double *to) {
        *to++ = t.time_gps_s;
        for (const double *c : {t.efe_h_c, t.efe_v_c, t.ta_c}) to = std::copy_n(c, 14, to);
        *to++ = t.update_status;
        *to++ = t.timing_unit_code;
    });
    return d;
}

}  // namespace

void bind_decode(py::module_ &m)
{
    PYBIND11_NUMPY_DTYPE(PacketHeader, offset, time_gps_s, pri_s, swst_s, swl_s, first_sample_delay_s, sample_rate_hz,
                         tx_ramp_rate_hz_per_s, tx_start_frequency_hz, tx_pulse_length_s, rx_gain_db, bytes,
                         coarse_time, data_take, instrument_configuration, space_packet_count, pri_count,
                         tx_pulse_length_code, pri_code, swst_code, swl_code, window_samples, sequence_count, fine_time,
                         ancillary_word, quads, tx_ramp_code, tx_start_code, azimuth_beam, ancillary_index, ecc_number,
                         test_mode, rx_channel, error_flag, baq_mode, baq_block_code, range_decimation, rx_gain_code,
                         rank, calibration, polarisation, temperature_compensation, elevation_beam, sas_test,
                         calibration_type, calibration_mode, tx_pulse_number, signal_type, swap, swath);
    py::class_<PacketScanner>(m, "PacketScanner")
        .def(py::init<>())
        .def_property_readonly_static("least_piece", [](const py::object &) { return PacketScanner::least_piece; })
        .def_property_readonly("position", &PacketScanner::position)
        .def("scan", &scan, py::arg("piece"), py::arg("last"));
    m.def("decode_packets", &decode, py::arg("data"), py::arg("data_offset"), py::arg("packets"), py::arg("columns"),
          py::arg("out"), py::arg("threads") = 0);
    m.def(
        "align_lines",
        [](py::array lines, double shift_samples, int threads) {
            const View2<c64> rows = rows_of(lines, lines.ndim() == 2 ? lines.shape(0) : -1);
            const py::gil_scoped_release release;
            align_lines(rows, shift_samples, threads);
        },
        py::arg("lines"), py::arg("shift_samples"), py::arg("threads") = 0);
    m.def("assemble_ancillary", &ancillary, py::arg("packets"));
    m.def(
        "packet_fault_name", [](std::uint8_t fault) { return fault_name(static_cast<PacketFault>(fault)); },
        py::arg("fault"));
    m.def("packet_signal_name", &signal_name, py::arg("signal_type"));
    m.def(
        "packet_range_filter",
        [](int code) {
            const RangeFilter f = range_filter(code);
            return py::make_tuple(f.bandwidth_hz, f.up, f.down, f.taps);
        },
        py::arg("code"));
    m.def("fdbaq_level", &fdbaq_level, py::arg("bit_rate_code"), py::arg("threshold_index"), py::arg("magnitude_code"));
    m.def("baq_level", &baq_level, py::arg("bits"), py::arg("threshold_index"), py::arg("magnitude_code"));
}
