{
  # Calls the build that CMakeLists.txt describes, for tools that know node-gyp only.
  "targets": [
    {
      "target_name": "flambeau",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["<(module_root_dir)/CMakeLists.txt"],
          "outputs": ["<(module_root_dir)/build/Release/flambeau.node"],
          "action": ["node", "<(module_root_dir)/scripts/native.mjs", "--gyp"]
        }
      ]
    }
  ]
}
