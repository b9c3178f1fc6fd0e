// The standard's tables, and what is made of them once: multi-symbol code books, levels in single precision.
#include "decode/tables.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook::sentinel1
{
namespace
{

// Code words of the magnitudes; a sign bit, 1 for negative, goes before each (section 4.4, tables of the Huffman
// trees).
const char *const code_words[5][16] = {
    {"0", "10", "110", "111"},
    {"0", "10", "110", "1110", "1111"},
    {"0", "10", "110", "1110", "11110", "111110", "111111"},
    {"00", "01", "10", "110", "1110", "11110", "111110", "1111110", "11111110", "11111111"},
    {"00", "010", "011", "100", "101", "1100", "1101", "1110", "11110", "111110", "11111100", "11111101", "111111100",
     "111111101", "111111110", "111111111"},
};
const int fdbaq_codes[5] = {4, 5, 7, 10, 16};

// Table 5.2-1: the largest magnitude of simple reconstruction, by threshold index; beyond these indices
// reconstruction is normalised.
const std::vector<double> simple_baq[3] = {
    {3, 3, 3.12, 3.55},
    {7, 7, 7, 7.17, 7.40, 7.76},
    {15, 15, 15, 15, 15, 15, 15.44, 15.56, 16.11, 16.38, 16.65},
};
const std::vector<double> simple_fdbaq[5] = {
    {3, 3, 3.16, 3.53},
    {4, 4, 4.08, 4.37},
    {6, 6, 6, 6.15, 6.50, 6.88},
    {9, 9, 9, 9, 9.36, 9.50, 10.10},
    {15, 15, 15, 15, 15, 15, 15.22, 15.50, 16.05},
};

// Table 5.2-2: normalised levels, for a variance of 1.
const std::vector<double> normalised_baq[3] = {
    {0.2490, 0.7681, 1.3655, 2.1864},
    {0.1290, 0.3900, 0.6601, 0.9471, 1.2623, 1.6261, 2.0793, 2.7467},
    {0.0660, 0.1985, 0.3320, 0.4677, 0.6061, 0.7487, 0.8964, 1.0510, 1.2143, 1.3896, 1.5800, 1.7914, 2.0329, 2.3234,
     2.6971, 3.2692},
};
const std::vector<double> normalised_fdbaq[5] = {
    {0.3637, 1.0915, 1.8208, 2.6406},
    {0.3042, 0.9127, 1.5216, 2.1313, 2.8426},
    {0.2305, 0.6916, 1.1528, 1.6140, 2.0754, 2.5369, 3.1191},
    {0.1702, 0.5107, 0.8511, 1.1916, 1.5321, 1.8726, 2.2131, 2.5536, 2.8942, 3.3744},
    {0.1130, 0.3389, 0.5649, 0.7908, 1.0167, 1.2428, 1.4687, 1.6947, 1.9206, 2.1466, 2.3725, 2.5985, 2.8244, 3.0504,
     3.2764, 3.6623},
};

// Table 5.2-3: sigma factors, by threshold index.
const double sigma_factors[256] = {
    0,      0.63,   1.25,   1.88,   2.51,   3.13,   3.76,   4.39,   5.01,   5.64,   6.27,   6.89,   7.52,   8.15,
    8.77,   9.4,    10.03,  10.65,  11.28,  11.91,  12.53,  13.16,  13.79,  14.41,  15.04,  15.67,  16.29,  16.92,
    17.55,  18.17,  18.8,   19.43,  20.05,  20.68,  21.31,  21.93,  22.56,  23.19,  23.81,  24.44,  25.07,  25.69,
    26.32,  26.95,  27.57,  28.2,   28.83,  29.45,  30.08,  30.71,  31.33,  31.96,  32.59,  33.21,  33.84,  34.47,
    35.09,  35.72,  36.35,  36.97,  37.6,   38.23,  38.85,  39.48,  40.11,  40.73,  41.36,  41.99,  42.61,  43.24,
    43.87,  44.49,  45.12,  45.75,  46.37,  47,     47.63,  48.25,  48.88,  49.51,  50.13,  50.76,  51.39,  52.01,
    52.64,  53.27,  53.89,  54.52,  55.15,  55.77,  56.4,   57.03,  57.65,  58.28,  58.91,  59.53,  60.16,  60.79,
    61.41,  62.04,  62.98,  64.24,  65.49,  66.74,  68,     69.25,  70.5,   71.76,  73.01,  74.26,  75.52,  76.77,
    78.02,  79.28,  80.53,  81.78,  83.04,  84.29,  85.54,  86.8,   88.05,  89.3,   90.56,  91.81,  93.06,  94.32,
    95.57,  96.82,  98.08,  99.33,  100.58, 101.84, 103.09, 104.34, 105.6,  106.85, 108.1,  109.35, 110.61, 111.86,
    113.11, 114.37, 115.62, 116.87, 118.13, 119.38, 120.63, 121.89, 123.14, 124.39, 125.65, 126.9,  128.15, 129.41,
    130.66, 131.91, 133.17, 134.42, 135.67, 136.93, 138.18, 139.43, 140.69, 141.94, 143.19, 144.45, 145.7,  146.95,
    148.21, 149.46, 150.71, 151.97, 153.22, 154.47, 155.73, 156.98, 158.23, 159.49, 160.74, 161.99, 163.25, 164.5,
    165.75, 167.01, 168.26, 169.51, 170.77, 172.02, 173.27, 174.53, 175.78, 177.03, 178.29, 179.54, 180.79, 182.05,
    183.3,  184.55, 185.81, 187.06, 188.31, 189.57, 190.82, 192.07, 193.33, 194.58, 195.83, 197.09, 198.34, 199.59,
    200.85, 202.1,  203.35, 204.61, 205.86, 207.11, 208.37, 209.62, 210.87, 212.13, 213.38, 214.63, 215.89, 217.14,
    218.39, 219.65, 220.9,  222.15, 223.41, 224.66, 225.91, 227.17, 228.42, 229.67, 230.93, 232.18, 233.43, 234.69,
    235.94, 237.19, 238.45, 239.7,  240.95, 242.21, 243.46, 244.71, 245.97, 247.22, 248.47, 249.73, 250.98, 252.23,
    253.49, 254.74, 255.99, 255.99};

// Section 5.4.2: degrees Celsius of the front ends' temperature codes; S1C's and S1D's tile amplifiers share them.
constexpr double none = std::numeric_limits<double>::quiet_NaN();
const double temperatures[256] = {
    none,  none,   none,   none,   -51.38, -47.38, -44.38, -41.5, -38.75, -36.75, -34.88, -32.88, -31,    -29.63, -28,
    -27,   -25.5,  -24.13, -23.13, -22,    -21,    -20,    -19,   -18.13, -17,    -16,    -15,    -14.38, -13.88, -13,
    -12,   -11.38, -10.88, -10,    -9,     -8.5,   -8,     -7,    -6.5,   -6,     -5.38,  -4.88,  -4,     -3.5,   -3,
    -2.5,  -2,     -1.38,  -1,     -0.13,  0.25,   1,      1.5,   2,      2.5,    3,      3.5,    3.88,   4.25,   4.88,
    5.13,  5.88,   6.13,   6.63,   7,      7.5,    8,      8.5,   9,      9.5,    9.88,   10.13,  10.5,   11,     11.5,
    11.88, 12.13,  12.63,  13,     13.5,   14,     14.5,   14.88, 15.13,  15.5,   16,     16.5,   16.88,  17.13,  17.5,
    17.88, 18.13,  18.5,   19,     19.5,   19.88,  20.13,  20.5,  21,     21.5,   21.88,  22.13,  22.5,   22.88,  23.13,
    23.5,  24,     24.5,   24.5,   25,     25.5,   25.88,  26.13, 26.5,   26.88,  27.13,  27.5,   28,     28.5,   28.75,
    29.13, 29.5,   29.88,  30.13,  30.5,   30.88,  31.13,  31.5,  32,     32.5,   32.75,  33.13,  33.5,   33.88,  34.13,
    34.5,  34.88,  35.13,  35.5,   36,     36.5,   36.88,  37.13, 37.5,   37.88,  38.13,  38.5,   39,     39.5,   39.75,
    40.13, 40.5,   40.88,  41.13,  41.75,  42.13,  42.5,   42.88, 43.13,  43.5,   43.88,  44.25,  44.75,  45.13,  45.5,
    45.88, 46.25,  46.75,  47.13,  47.5,   47.88,  48.25,  48.75, 49.13,  49.5,   49.88,  50.25,  50.88,  51.13,  51.75,
    52.13, 52.5,   52.88,  53.25,  53.88,  54.25,  54.88,  55.13, 55.75,  56.13,  56.75,  57.13,  57.5,   57.88,  58.25,
    58.88, 59.25,  59.88,  60.25,  60.88,  61.25,  61.88,  62.25, 62.88,  63.25,  63.88,  64.25,  64.88,  65.25,  65.88,
    66.5,  67.13,  67.75,  68.13,  68.88,  69.25,  69.88,  70.5,  71.13,  71.88,  72.25,  73,     73.75,  74.25,  74.88,
    75.5,  76.25,  76.88,  77.5,   78.5,   79.13,  79.88,  80.5,  81.25,  82,     82.88,  83.63,  84.5,   85.5,   86.88,
    87,    87.88,  88.63,  89.63,  90.63,  91.63,  92.63,  93.63, 95,     96,     97,     98.5,   99.88,  100.88, 102,
    103.5};

double level(const std::vector<double> &simple, const std::vector<double> &normalised, int threshold_index, int code)
{
    if (threshold_index >= static_cast<int>(simple.size()))
        return normalised[static_cast<std::size_t>(code)] * sigma_factors[threshold_index];
    const bool largest = code + 1 == static_cast<int>(normalised.size());
    return largest ? simple[static_cast<std::size_t>(threshold_index)] : code;
}

/// One symbol from the next 10 bits: sign * 16 + magnitude, number of bits * 256.
void fill_single(int bit_rate_code, std::uint16_t (&one)[1024])
{
    for (unsigned symbol = 0; symbol < 32; ++symbol) {
        const unsigned magnitude = symbol & 15;
        if (magnitude >= static_cast<unsigned>(fdbaq_codes[bit_rate_code])) continue;
        unsigned value = symbol >> 4, length = 1;
        for (const char *c = code_words[bit_rate_code][magnitude]; *c; ++c, ++length)
            value = 2 * value + static_cast<unsigned>(*c - '0');
        for (unsigned rest = 0; rest < 1u << (10 - length); ++rest)
            one[value << (10 - length) | rest] = static_cast<std::uint16_t>(symbol | length << 8);
    }
}

void fill_book(int bit_rate_code, CodeBook &book)
{
    fill_single(bit_rate_code, book.one);
    for (unsigned window = 0; window < 1u << code_window; ++window) {
        std::uint64_t entry = 0;
        unsigned used = 0, symbols = 0;
        while (symbols < 6) {
            const unsigned next = window << used & ((1u << code_window) - 1);
            const unsigned found = book.one[next >> (code_window - 10)];
            if (used + (found >> 8) > code_window) break;
            entry |= static_cast<std::uint64_t>(found & 31) << 8 * symbols++;
            used += found >> 8;
        }
        book.many[window] = entry | static_cast<std::uint64_t>(symbols) << 48 | static_cast<std::uint64_t>(used) << 56;
    }
}

struct Tables {
    CodeBook books[5];
    Levels fdbaq[5][256], baq[3][256];
    Tables()
    {
        for (int code = 0; code < 5; ++code) fill_book(code, books[code]);
        for (int index = 0; index < 256; ++index) {
            for (int code = 0; code < 5; ++code)
                for (int m = 0; m < fdbaq_codes[code]; ++m)
                    fdbaq[code][index].magnitude[m] = static_cast<float>(fdbaq_level(code, index, m));
            for (int bits = 3; bits <= 5; ++bits)
                for (int m = 0; m < 1 << (bits - 1); ++m)
                    baq[bits - 3][index].magnitude[m] = static_cast<float>(baq_level(bits, index, m));
        }
    }
};

const Tables &tables()
{
    static const Tables made;
    return made;
}

void require_range(const char *name, int value, int first, int last)
{
    require(value >= first && value <= last, text(name, " is ", value, "; must be ", first, " to ", last));
}

}  // namespace

const CodeBook &code_book(int bit_rate_code) { return tables().books[bit_rate_code]; }
const Levels *fdbaq_levels(int bit_rate_code) { return tables().fdbaq[bit_rate_code]; }
const Levels *baq_levels(int bits) { return tables().baq[bits - 3]; }
double front_end_temperature_c(int code) { return temperatures[code]; }

double fdbaq_level(int bit_rate_code, int threshold_index, int magnitude_code)
{
    require_range("bit_rate_code", bit_rate_code, 0, 4);
    require_range("threshold_index", threshold_index, 0, 255);
    require_range("magnitude_code", magnitude_code, 0, fdbaq_codes[bit_rate_code] - 1);
    return level(simple_fdbaq[bit_rate_code], normalised_fdbaq[bit_rate_code], threshold_index, magnitude_code);
}

double baq_level(int bits, int threshold_index, int magnitude_code)
{
    require_range("bits", bits, 3, 5);
    require_range("threshold_index", threshold_index, 0, 255);
    require_range("magnitude_code", magnitude_code, 0, (1 << (bits - 1)) - 1);
    return level(simple_baq[bits - 3], normalised_baq[bits - 3], threshold_index, magnitude_code);
}

}  // namespace sidelook::sentinel1
