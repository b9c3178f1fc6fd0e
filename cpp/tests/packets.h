// Makes Sentinel-1 space packets from codes, bit by bit, for tests and the bench. Code words are those of the
// standard's Huffman trees, written down here once more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace packets
{

inline const std::vector<std::string> &code_words(int bit_rate_code)
{
    static const std::vector<std::string> all[5] = {
        {"0", "10", "110", "111"},
        {"0", "10", "110", "1110", "1111"},
        {"0", "10", "110", "1110", "11110", "111110", "111111"},
        {"00", "01", "10", "110", "1110", "11110", "111110", "1111110", "11111110", "11111111"},
        {"00", "010", "011", "100", "101", "1100", "1101", "1110", "11110", "111110", "11111100", "11111101",
         "111111100", "111111101", "111111110", "111111111"},
    };
    return all[bit_rate_code];
}

class Bits
{
public:
    void put(std::uint64_t value, int bits)
    {
        for (int k = bits - 1; k >= 0; --k) {
            if (count_ % 8 == 0) octets_.push_back(0);
            octets_.back() = static_cast<std::uint8_t>(octets_.back() | (value >> k & 1) << (7 - count_ % 8));
            ++count_;
        }
    }
    void put(const std::string &digits)
    {
        for (const char c : digits) put(static_cast<std::uint64_t>(c - '0'), 1);
    }
    void fill(std::size_t octets)  // to a multiple of them
    {
        while (octets_.size() % octets != 0 || count_ % 8 != 0) put(0, 1);
    }
    std::vector<std::uint8_t> &octets() { return octets_; }

private:
    std::vector<std::uint8_t> octets_;
    std::uint64_t count_ = 0;
};

/// What a packet's samples are made of: symbols (sign * 16 + magnitude, or for bypass sign * 512 + magnitude) of the
/// channels IE, IO, QE, QO, and a bit rate code and a threshold index for every block of 128 quads.
struct Codes {
    int baq_mode = 12;
    std::vector<int> channel[4], bit_rate_code, threshold_index;
    std::size_t quads() const { return channel[0].size(); }
};

/// A sound packet: stripmap-like header, samples from the codes.
inline std::vector<std::uint8_t> packet(const Codes &codes, std::uint32_t count = 0)
{
    Bits b;
    const std::uint8_t fixed[] = {0x0c, 0x1c, 0xc0, 0, 0, 0, 0x4c, 0x12, 0x63, 0x3b, 0x80, 0, 0x35, 0x2e, 0xf8, 0x53};
    for (const std::uint8_t octet : fixed) b.put(octet, 8);
    b.put(0x1234, 32);  // data take
    b.put(3, 8);        // stripmap 3
    b.put(0, 8);
    b.put(0, 32);
    b.put(count % 64 + 1, 8);
    b.put(0, 16);
    b.put(count, 32);
    b.put(count + 100, 32);
    b.put(static_cast<std::uint64_t>(codes.baq_mode), 8);
    b.put(31, 8);
    b.put(0, 8);
    b.put(4, 8);  // decimation to 4/9
    b.put(8, 8);
    b.put(0x87d2, 16);
    b.put(0x32aa, 16);
    b.put(1658, 24);
    b.put(10, 8);
    b.put(0x4c2b, 24);
    b.put(0x1497, 24);
    b.put(0x2f92, 24);
    b.put(0x7c2000, 24);
    b.put(0x020002, 24);
    b.put(codes.quads(), 16);
    b.put(0, 8);
    const int mode = codes.baq_mode;
    for (int channel = 0; channel < 4; ++channel) {
        for (std::size_t i = 0; i < codes.quads(); ++i) {
            const int symbol = codes.channel[channel][i];
            if (mode == 0) {
                b.put(static_cast<std::uint64_t>(symbol), 10);
                continue;
            }
            if (i % 128 == 0 && channel == 0 && mode >= 12)
                b.put(static_cast<std::uint64_t>(codes.bit_rate_code[i / 128]), 3);
            if (i % 128 == 0 && channel == 2) b.put(static_cast<std::uint64_t>(codes.threshold_index[i / 128]), 8);
            b.put(static_cast<std::uint64_t>(symbol >> 4), 1);
            if (mode >= 12)
                b.put(code_words(codes.bit_rate_code[i / 128])[static_cast<std::size_t>(symbol & 15)]);
            else
                b.put(static_cast<std::uint64_t>(symbol & 15), mode - 1);
        }
        b.fill(2);
    }
    b.fill(4);
    std::vector<std::uint8_t> &octets = b.octets();
    octets[4] = static_cast<std::uint8_t>((octets.size() - 7) >> 8);
    octets[5] = static_cast<std::uint8_t>(octets.size() - 7);
    return octets;
}

/// Random codes; magnitudes as often as their code words are short, as they come in real data. `random` gives 0..n-1.
template <class Random> Codes random_codes(int baq_mode, std::size_t quads, int bit_rate_code, Random &random)
{
    Codes codes;
    codes.baq_mode = baq_mode;
    for (std::size_t b = 0; b < (quads + 127) / 128; ++b) {
        codes.bit_rate_code.push_back(bit_rate_code >= 0 ? bit_rate_code : static_cast<int>(random(5)));
        codes.threshold_index.push_back(static_cast<int>(random(256)));
    }
    for (auto &channel : codes.channel)
        for (std::size_t i = 0; i < quads; ++i) {
            const int sign = static_cast<int>(random(2));
            if (baq_mode == 0) {
                channel.push_back(sign * 512 + static_cast<int>(random(512)));
            } else if (baq_mode < 12) {
                channel.push_back(sign * 16 + static_cast<int>(random(1u << (baq_mode - 1))));
            } else {
                std::string digits;
                const auto &words = code_words(codes.bit_rate_code[i / 128]);
                std::size_t found = words.size();
                while (found == words.size()) {  // the code is complete: some word comes
                    digits += random(2) ? '1' : '0';
                    for (found = 0; found < words.size() && words[found] != digits;) ++found;
                }
                channel.push_back(sign * 16 + static_cast<int>(found));
            }
        }
    return codes;
}

}  // namespace packets
