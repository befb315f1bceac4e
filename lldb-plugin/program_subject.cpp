#include "lldb-plugin/program_subject.h"

#include <algorithm>
#include <filesystem>

#include "target/linked_memory.h"

namespace cgo {
namespace {

class ProgramDebuggee final : public Debuggee {
 public:
  ProgramDebuggee(const ArchInfo& arch, std::shared_ptr<const MemoryReader> memory,
                  std::shared_ptr<const ImageMap> images)
      : arch_(arch), memory_(std::move(memory)), images_(std::move(images)) {}

  const ArchInfo& arch() const override { return arch_; }
  bool is_core() const override { return true; }  // Nothing of it can change.
  const MemoryReader& memory() const override { return *memory_; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override { return {}; }
  Result<Registers> registers(std::uint64_t) const override { return does_not_run(); }
  Result<Address> thread_pointer(std::uint64_t) const override { return does_not_run(); }
  bool executable(Address address) const override { return images_->executable(address); }

 private:
  static Error does_not_run() { return {ErrorCode::not_found, "the program does not run"}; }

  const ArchInfo& arch_;
  std::shared_ptr<const MemoryReader> memory_;
  std::shared_ptr<const ImageMap> images_;
};

class ProgramSubject final : public Subject {
 public:
  explicit ProgramSubject(std::shared_ptr<const Stop> stop) : stop_(std::move(stop)) {}
  Result<std::shared_ptr<const Stop>> stop() override { return stop_; }
  std::optional<std::uint64_t> selected_thread() override { return std::nullopt; }

 private:
  std::shared_ptr<const Stop> stop_;
};

Image image_of(const std::string& path, std::shared_ptr<const ElfFile> file) {
  Image image;
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(path, ignored);
  image.path = absolute.empty() ? path : absolute.string();
  image.range = {{UINT64_MAX}, {0}};
  for (const ElfSegment& segment : file->segments()) {
    if (!segment.loaded() || segment.memory_bytes == 0) continue;
    image.range.begin = std::min(image.range.begin, segment.range().begin);
    image.range.end = std::max(image.range.end, segment.range().end);
  }
  image.file = std::move(file);
  return image;
}

}  // namespace

Result<std::unique_ptr<Subject>> open_program_subject(const std::string& path) {
  auto file = ElfFile::open(path);
  if (!file) return std::move(file).error();
  if ((*file)->arch() == nullptr)
    return Error{ErrorCode::unsupported, path + ": this CPU is not supported"};
  auto memory = std::make_shared<const LinkedMemory>(*file);
  auto images = std::make_shared<const ImageMap>(std::vector{image_of(path, *file)});
  auto stop = std::make_shared<Stop>();
  stop->program = make_program(images, *memory, LonePlugins::accepted);
  auto debuggee = std::make_unique<const ProgramDebuggee>(*(*file)->arch(), memory, images);
  stop->unwinder = std::make_unique<const Unwinder>(*debuggee, stop->program->runtimes,
                                                    stop->program->unwind_cache);
  stop->debuggee = std::move(debuggee);
  stop->parallel = true;
  stop->provenance = {.kind = "program " + path,
                      .reader = "lldb-cgo itself",
                      .memory = "the file as it would be loaded",
                      .lacks = {}};
  return std::make_unique<ProgramSubject>(std::move(stop));
}

}  // namespace cgo
