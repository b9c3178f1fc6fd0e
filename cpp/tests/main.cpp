#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/isa.h"
#include "harness.h"

int main(int argc, char **argv)
{
    const char *isa = sidelook::isa_name(sidelook::best_isa()), *asked = std::getenv("SIDELOOK_MAX_ISA");
    if (asked && std::strcmp(asked, isa) != 0) {
        std::printf("skipped: SIDELOOK_MAX_ISA is %s; the best that this machine and this build have is %s\n", asked,
                    isa);
        return 77;  // CTest's SKIP_RETURN_CODE
    }
    int run = 0, failed = 0;
    for (const harness::Test &test : harness::tests()) {
        const auto named = [&](const char *argument) { return std::strcmp(argument, test.group) == 0; };
        if (argc > 1 && std::none_of(argv + 1, argv + argc, named)) continue;
        const int before = harness::failed_checks();
        try {
            test.body();
        } catch (const std::exception &e) {
            harness::fail(test.name, 0, sidelook::text("threw: ", e.what()));
        }
        const bool good = harness::failed_checks() == before;
        std::printf("%s %s.%s\n", good ? "good" : "BAD ", test.group, test.name);
        std::fflush(stdout);
        ++run;
        failed += !good;
    }
    std::printf("%d tests on %s, %d failed\n", run, isa, failed);
    return failed > 0 || run == 0;  // a misspelt group must not pass
}
