#include "lldb-plugin/core_subject.h"

#include <algorithm>
#include <map>

#include "lldb-plugin/core_images.h"
#include "lldb-plugin/crashed_thread.h"
#include "target/core_file.h"
#include "target/mapping.h"
#include "target/minidump.h"

namespace cgo {
namespace {

/// A core as a debuggee: all of it is known from the start.
class CoreDebuggee final : public Debuggee {
 public:
  CoreDebuggee(const ArchInfo& arch, std::span<const CoreThread> threads,
               std::span<const Mapping> mappings, std::string process_name,
               std::shared_ptr<const MemoryReader> memory, std::shared_ptr<const ImageMap> images)
      : arch_(arch),
        mappings_(std::vector(mappings.begin(), mappings.end())),
        memory_(std::move(memory)),
        images_(std::move(images)) {
    for (const CoreThread& thread : threads) {
      ThreadInfo info{.tid = thread.tid, .index = static_cast<std::uint32_t>(threads_.size() + 1)};
      if (threads_.empty()) info.name = process_name;
      if (thread.signal != 0) info.signal = thread.signal;
      threads_.push_back(std::move(info));
      by_tid_.emplace(thread.tid, thread);
    }
  }

  const ArchInfo& arch() const override { return arch_; }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return *memory_; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override { return threads_; }

  Result<Registers> registers(std::uint64_t tid) const override {
    const auto found = by_tid_.find(tid);
    if (found == by_tid_.end()) return no_thread(tid);
    return found->second.registers;
  }
  Result<Address> thread_pointer(std::uint64_t tid) const override {
    const auto found = by_tid_.find(tid);
    if (found == by_tid_.end()) return no_thread(tid);
    if (!found->second.thread_pointer)
      return Error{ErrorCode::not_found,
                   "the core has no thread pointer of thread " + std::to_string(tid)};
    return *found->second.thread_pointer;
  }
  Result<ThreadSignals> signals(std::uint64_t tid) const override {
    const auto found = by_tid_.find(tid);
    if (found == by_tid_.end()) return no_thread(tid);
    return known_signals(found->second);
  }
  std::optional<SignalDetails> stop_signal(std::uint64_t tid) const override {
    const auto found = by_tid_.find(tid);
    return found == by_tid_.end() ? std::nullopt : found->second.details;
  }
  bool executable(Address address) const override {
    if (images_->executable(address)) return true;
    const Mapping* mapping = mappings_.find(address);
    return mapping != nullptr && mapping->executable;
  }
  const MappingList* mappings() const override {
    return mappings_.all().empty() ? nullptr : &mappings_;
  }

 private:
  static Error no_thread(std::uint64_t tid) {
    return {ErrorCode::not_found, "the core has no thread " + std::to_string(tid)};
  }

  const ArchInfo& arch_;
  MappingList mappings_;
  std::shared_ptr<const MemoryReader> memory_;
  std::shared_ptr<const ImageMap> images_;
  std::vector<ThreadInfo> threads_;
  std::map<std::uint64_t, CoreThread> by_tid_;
};

class CoreSubject final : public Subject {
 public:
  explicit CoreSubject(std::shared_ptr<const Stop> stop, std::optional<std::uint64_t> thread)
      : stop_(std::move(stop)), thread_(thread) {}
  Result<std::shared_ptr<const Stop>> stop() override { return stop_; }
  std::optional<std::uint64_t> selected_thread() override {
    const auto crashed = crashed_thread(*stop_);
    return crashed ? crashed->thread.tid : thread_;
  }

 private:
  std::shared_ptr<const Stop> stop_;
  std::optional<std::uint64_t> thread_;
};

/// The thread the core's signal hit: the one with its details, else the first that has one, else
/// the first.
std::optional<std::uint64_t> thread_of_interest(std::span<const CoreThread> threads) {
  for (const CoreThread& thread : threads)
    if (thread.details && thread.details->number != 0) return thread.tid;
  for (const CoreThread& thread : threads)
    if (thread.signal != 0) return thread.tid;
  if (threads.empty()) return std::nullopt;
  return threads.front().tid;
}

void note_missing_files(Provenance& provenance, const ImageMap& images) {
  for (const Image& image : images.all())
    if (image.mismatch) provenance.lacks.push_back(image.mismatch->message);
}

template <class Core>
std::unique_ptr<Subject> subject_of(std::shared_ptr<const Core> core, std::vector<Image> list,
                                    std::string kind, std::string process_name) {
  auto images = std::make_shared<const ImageMap>(std::move(list));
  auto memory = std::make_shared<SplicedReader>(
      std::vector<std::shared_ptr<const MemoryReader>>{core, image_file_reader(images)});
  auto stop = std::make_shared<Stop>();
  stop->program = make_program(images, *memory);
  auto debuggee = std::make_unique<const CoreDebuggee>(
      core->arch(), core->threads(), core->mappings(), std::move(process_name), memory, images);
  stop->unwinder = std::make_unique<const Unwinder>(*debuggee, stop->program->runtimes,
                                                    stop->program->unwind_cache);
  stop->addresses = std::make_unique<const StopAddresses>(*debuggee, stop->program->runtimes,
                                                          stop->program->dwarf);
  stop->debuggee = std::move(debuggee);
  stop->parallel = true;
  stop->provenance = {.kind = std::move(kind) + " " + core->path(),
                      .reader = "lldb-cgo itself",
                      .memory = "the core file, then files of its images"};
  if (const auto cut = core->cut()) stop->provenance.lacks.push_back(cut->text());
  note_missing_files(stop->provenance, *images);
  return std::make_unique<CoreSubject>(std::move(stop), thread_of_interest(core->threads()));
}

}  // namespace

Result<std::unique_ptr<Subject>> open_core_subject(const std::string& path,
                                                   const std::string& exe) {
  if (auto core = CoreFile::open(path)) {
    std::string name = (*core)->process() ? (*core)->process()->name : "";
    std::vector<Image> images = images_of_core(**core, exe);
    return subject_of(*core, std::move(images), "ELF core", std::move(name));
  } else if (core.error().code != ErrorCode::malformed_data) {
    return std::move(core).error();
  } else if (auto dump = Minidump::open(path)) {
    std::vector<Image> images = images_of_minidump(**dump, exe);
    return subject_of(*dump, std::move(images), "minidump", "");
  } else {
    return std::move(core).error();
  }
}

}  // namespace cgo
