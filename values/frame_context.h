#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "values/frame_variables.h"

namespace cgo {

/// One physical frame as the expressions of its code see it. Made for one question; internal to
/// values/.
class FrameContext {
 public:
  /// not_found where there is no debug information, unsupported where the image's file is not the
  /// right one.
  static Result<std::unique_ptr<const FrameContext>> at(const FrameSource& source,
                                                        std::size_t physical, unsigned depth = 0);

  const std::vector<Scope>& scopes() const { return scopes_; }
  const ExpressionContext& expressions() const { return expressions_; }
  const PhysicalFrame& frame() const { return frame_; }
  const Image& image() const { return image_; }
  /// DwarfInfo::type_in_frame.
  Result<const Type*> type_in_frame(const Type* type) const {
    return dwarf_->type_in_frame(type, image_.to_file(lookup()), expressions_);
  }
  const DwarfInfo& dwarf() const { return *dwarf_; }
  Address lookup() const { return frame_.pc.for_lookup(); }
  /// What frames_at says of the code, in the order of scopes().
  const std::vector<SourceFrame>& source_frames() const { return source_frames_; }

 private:
  FrameContext(const FrameSource& source, std::size_t physical, unsigned depth,
               const PhysicalFrame& frame, const Image& image);

  Result<std::uint64_t> entry_value(const DwarfExpression& expression) const;
  Result<void> check_call(const CallSite& site, const FrameContext& caller) const;

  const FrameSource& source_;
  std::size_t physical_;
  unsigned depth_;  ///< How many callers were asked on the way here.
  const PhysicalFrame& frame_;
  const Image& image_;
  std::shared_ptr<const DwarfInfo> dwarf_;
  std::vector<Scope> scopes_;
  std::vector<SourceFrame> source_frames_;
  ExpressionContext expressions_;
};

}  // namespace cgo
