--- symbi-lua help: the list of sub-commands.
return function()
    print("commands of symbi-lua (options and scripts: symbi-lua --help):")
    for _, c in ipairs(require("symbi.cli")) do
        print(string.format("  %-16s %s", c.name, c.summary))
    end
end
