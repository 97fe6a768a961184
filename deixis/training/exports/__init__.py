"""Lessons as files that other trainers read: TRL, ms-swift, LLaMA-Factory, Qwen's and OFA's."""
