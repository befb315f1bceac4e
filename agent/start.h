#pragma once

namespace cgo::agent {

/// Makes the tables and begins to record. False while another call is at it, and when it failed.
bool start_agent();

}  // namespace cgo::agent
