#include "unwind/format.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace cgo {
namespace {

Frame frame(Language language, std::string_view function, std::string_view file, unsigned line) {
  Frame out;
  out.language = language;
  out.function = function;
  out.module = "mix";
  out.file = file;
  out.line = line;
  out.pc = {{0x1000}, CodeAddress::Origin::program_counter};
  out.sp = {0x2000};
  return out;
}

Stack example() {
  Stack stack;
  stack.thread = ThreadInfo{.tid = 4127, .index = 1, .name = "mix", .signal = {}};
  stack.goroutine = GoroutineSummary{.id = 18, .state = "syscall", .wait_reason = {}};
  Frame hold = frame(Language::c, "hold_block", "/src/bridge.c", 21);
  hold.inlined = true;
  Frame stub = frame(Language::c, "_cgo_0123456789ab_Cfunc_bridge_call", "cgo-gcc-prolog", 49);
  stub.plumbing = true;
  stub.crossing = Crossing::go_to_c;
  stack.elements = {hold,
                    frame(Language::c, "bridge_call", "/src/bridge.c", 34),
                    stub,
                    frame(Language::go, "main.work", "/src/main.go", 15),
                    Gap{"C frames were overwritten while the panic was printed"},
                    frame(Language::unknown, "", "", 0)};
  stack.end = StopReason::bad_memory;
  stack.error = Error{ErrorCode::unreadable_memory, "cannot read 8 bytes at 0xc000102038", {}};
  return stack;
}

}  // namespace

TEST_CASE("text shows crossings and gaps, hides plumbing, explains the end") {
  CHECK(format_stack(example(), {}) ==
        "goroutine 18  [syscall]  on thread 1 (tid 4127, \"mix\")\n"
        "    #0 C   hold_block [inlined] bridge.c:21\n"
        "    #1 C   bridge_call          bridge.c:34\n"
        "      -- Go called C --\n"
        "    #3 Go  main.work            main.go:15\n"
        "      ~~ C frames were overwritten while the panic was printed ~~\n"
        "    #4 ?   0x1000               in mix\n"
        "stopped: stack memory is missing or damaged: cannot read 8 bytes at 0xc000102038 (the "
        "frames above are valid)\n");
}

TEST_CASE("frames that repeat are shown once, with how often and up to where") {
  Stack stack;
  stack.end = StopReason::goroutine_entry;
  stack.elements.emplace_back(frame(Language::c, "leaf", "/src/a.c", 1));
  for (int i = 0; i < 10; ++i) {
    stack.elements.emplace_back(frame(Language::c, "ping", "/src/a.c", 2));
    stack.elements.emplace_back(frame(Language::c, "pong", "/src/a.c", 3));
  }
  stack.elements.emplace_back(frame(Language::c, "ping", "/src/a.c", 9));
  CHECK(format_stack(stack, {}) ==
        "    #0 C   leaf a.c:1\n"
        "    #1 C   ping a.c:2\n"
        "    #2 C   pong a.c:3\n"
        "      .. these 2 frames 9 times more, to #20 ..\n"
        "   #21 C   ping a.c:9\n");
  const std::string raw = format_stack(stack, {.raw = true});
  CHECK(std::count(raw.begin(), raw.end(), '\n') == 22);
  CHECK(format_stack(stack, {.selected = 7}).find("*   #7 C   ping") != std::string::npos);
  stack.elements.resize(15);  // Seven times: each is shown.
  CHECK(format_stack(stack, {}).find("more") == std::string::npos);
}

TEST_CASE("raw text shows everything; the selected frame is marked even when it is plumbing") {
  const std::string raw = format_stack(example(), {.raw = true});
  CHECK(raw.find("_Cfunc_bridge_call") != std::string::npos);
  CHECK(raw.find("pc 0x1000 sp 0x2000") != std::string::npos);
  const std::string selected = format_stack(example(), {.selected = 2});
  CHECK(selected.find("*   #2 C   _cgo_") != std::string::npos);
}

TEST_CASE("colour is used only when asked for") {
  CHECK(format_stack(example(), {}).find('\x1b') == std::string::npos);
  CHECK(format_stack(example(), {.colour = true}).find('\x1b') != std::string::npos);
}

TEST_CASE("JSON follows lldb-cgo/stacks/1") {
  const Stack stack = example();
  const std::string text = stacks_json(std::span(&stack, 1));
  CHECK(text.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["schema"] == "lldb-cgo/stacks/1");
  const auto& first = json["stacks"][0];
  CHECK(first["thread"]["tid"] == 4127);
  CHECK(first["goroutine"]["wait_reason"].is_null());
  CHECK(first["complete"] == false);
  CHECK(first["end"] == "bad_memory");
  const auto& frames = first["frames"];
  REQUIRE(frames.size() == 6);
  CHECK(frames[0]["function"] == "hold_block");
  CHECK(frames[0]["inlined"] == true);
  CHECK(frames[2]["crossing"] == "go_to_c");
  CHECK(frames[4]["gap"] == "C frames were overwritten while the panic was printed");
  CHECK(frames[5]["index"] == 4);
  CHECK(frames[5]["line"].is_null());
  CHECK(frames[5]["language"] == "unknown");
}

TEST_CASE("names from the debuggee cannot control the terminal or break JSON") {
  const std::string evil = "a\x1b[31m\"\\\n\xff\xc2\x9b\xe2\x80\xaez\xc3\xa9";
  CHECK(escaped(evil) == "a\\x1b[31m\"\\\\x0a\\xff\\xc2\\x9b\\xe2\\x80\\xaez\xc3\xa9");
  const auto json = nlohmann::json::parse(json_string(evil));
  CHECK(json.get<std::string>() == "a\x1b[31m\"\\\n\\xff\xc2\x9b\xe2\x80\xaez\xc3\xa9");
}

TEST_CASE("every broken UTF-8 form is escaped") {
  CHECK(escaped("\xc0\x80") == "\\xc0\\x80");                    // overlong
  CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
  CHECK(escaped("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  CHECK(escaped("\xe2\x82") == "\\xe2\\x82");                    // cut
  CHECK(escaped("\xe2\x82\xac") == "\xe2\x82\xac");
}

}  // namespace cgo
