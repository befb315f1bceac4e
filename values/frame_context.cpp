#include "values/frame_context.h"

#include <algorithm>

#include "goruntime/pclntab.h"
#include "unwind/kept_walk.h"

namespace cgo {
namespace {

constexpr unsigned kMostCallers = 16;  // That one value may be passed on through.

Error unknown_entry(std::string_view why) {
  return {
      ErrorCode::not_found,
      "it was passed in a register that is used for something else now, and " + std::string(why)};
}

/// The walk does not tell the CFA of a frame it could not leave; a Go function's frame has a size.
std::optional<Address> cfa_of(const PhysicalFrame& frame) {
  if (frame.cfa) return frame.cfa;
  if (!frame.go) return std::nullopt;
  auto bytes = frame.go->module->frame_bytes(*frame.go, frame.pc.address);
  if (!bytes) return std::nullopt;
  return checked_add(frame.registers.sp(),
                     std::uint64_t{*bytes} + frame.registers.arch().return_address_bytes);
}

}  // namespace

FrameContext::FrameContext(const FrameSource& source, std::size_t physical, unsigned depth,
                           const PhysicalFrame& frame, const Image& image)
    : source_(source), physical_(physical), depth_(depth), frame_(frame), image_(image) {
  expressions_.memory = source.memory;
  expressions_.registers = &frame.registers;
  expressions_.cfa = cfa_of(frame);
  expressions_.bias = image.bias;
  expressions_.entry_value = [this](const DwarfExpression& expression) {
    return entry_value(expression);
  };
}

Result<std::unique_ptr<const FrameContext>> FrameContext::at(const FrameSource& source,
                                                             std::size_t physical, unsigned depth) {
  const auto& elements = source.walk->elements;
  const auto* frame =
      physical < elements.size() ? std::get_if<PhysicalFrame>(&elements[physical]) : nullptr;
  if (frame == nullptr) return Error{ErrorCode::not_found, "there is no such frame"};
  if (is_kept(*frame))
    return Error{ErrorCode::not_found,
                 "this frame was overwritten after the panic began: its variables are gone"};
  const Address lookup = frame->pc.for_lookup();
  const Image* image = source.images->find(lookup);
  if (image == nullptr)
    return Error{ErrorCode::not_found, "the code at " + hex(lookup) + " is in no file"};
  if (image->mismatch) return *image->mismatch;
  auto dwarf = source.dwarf ? source.dwarf(*image)
                            : Error{ErrorCode::not_found, "no debug information is read"};
  if (!dwarf) return std::move(dwarf).error();
  std::unique_ptr<FrameContext> out(new FrameContext(source, physical, depth, *frame, *image));
  out->dwarf_ = *std::move(dwarf);
  auto scopes = out->dwarf_->scopes_at(image->to_file(lookup));
  if (!scopes) return std::move(scopes).error();
  if (scopes->empty())
    return Error{
        ErrorCode::not_found,
        std::string(image->name()) + " has no debug information for the code at " + hex(lookup)};
  out->scopes_ = *std::move(scopes);
  out->expressions_.frame_base = out->scopes_.front().frame_base;
  if (auto frames = out->dwarf_->frames_at(image->to_file(lookup)))
    out->source_frames_ = *std::move(frames);
  return std::unique_ptr<const FrameContext>(std::move(out));
}

/// Whether the call at `site` went straight to this frame's function: else what it passed on says
/// nothing of this frame, as after a tail call.
Result<void> FrameContext::check_call(const CallSite& site, const FrameContext& caller) const {
  const Address entry = scopes_.front().entry;
  if (!site.targets.empty()) {
    const bool direct =
        &caller.image_ == &image_ &&
        std::find(site.targets.begin(), site.targets.end(), entry) != site.targets.end();
    if (direct) return {};
    return unknown_entry("the caller called another function, which went on to this one");
  }
  if (site.target.empty()) return unknown_entry("it is not known which function was called");
  auto target = evaluate_number(site.target, caller.expressions_);
  if (!target) return std::move(target).error().in("called function");
  if (Address{*target} != image_.to_load(entry))
    return unknown_entry("the caller called another function, which went on to this one");
  return {};
}

/// What the caller says it passed. Source: DWARF 5, sections 2.5.1.7 (DW_OP_entry_value) and 3.4.2.
Result<std::uint64_t> FrameContext::entry_value(const DwarfExpression& expression) const {
  if (depth_ >= kMostCallers)
    return Error{ErrorCode::limit_reached, "the value was passed on by too many callers"};
  if (frame_.crossing != Crossing::none) return unknown_entry("no C code called this function");
  auto caller = FrameContext::at(source_, physical_ + 1, depth_ + 1);
  if (!caller) return unknown_entry("nothing is known of the caller");
  const FrameContext& outer = **caller;
  if (outer.frame_.pc.origin != CodeAddress::Origin::return_address)
    return unknown_entry("this function was not called");
  auto site = outer.dwarf_->call_site(outer.image_.to_file(outer.frame_.pc.address));
  if (!site) return unknown_entry("the caller does not tell what it passed");
  auto checked = check_call(*site, outer);
  if (!checked) return std::move(checked).error();
  for (const CallSiteParameter& parameter : site->parameters) {
    if (!std::equal(parameter.location.code.begin(), parameter.location.code.end(),
                    expression.code.begin(), expression.code.end()))
      continue;
    if (parameter.value.empty()) break;
    auto value = evaluate_number(parameter.value, outer.expressions_);
    if (!value) return std::move(value).error().in("passed by the caller");
    return value;
  }
  return unknown_entry("the caller does not tell what it passed");
}

}  // namespace cgo
