fn main() -> Result<(), archc::BuildError> {
    archc::build_script("digits.arch")
}
