package clients

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"text/template"
)

//go:embed guides/*.md
var guideFiles embed.FS

// The languages of the guides.
const (
	English = "en"
	Chinese = "zh-CN"
)

// guide is one text of ours in a language, as it is written.
func guide(name, lang string) string {
	short := English
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		short = "zh"
	}
	text, err := guideFiles.ReadFile(path.Join("guides", name+"."+short+".md"))
	if err != nil {
		return "" // a test reads every guide in both languages
	}
	return string(text)
}

// Prompt is a text that a client offers its user as a command, and that tells the
// model what to do.
type Prompt struct {
	Name      string
	Arguments []Argument
	title     note
	about     note
}

// Argument is what a prompt takes. None has to be given.
type Argument struct {
	Name  string
	about note
}

// ArgumentLang is taken by every prompt: the language of its text.
const ArgumentLang = "lang"

// Prompts are all of them.
func Prompts() []Prompt {
	lang := Argument{ArgumentLang, note{"en or zh-CN", "en 或 zh-CN"}}
	return []Prompt{
		{
			"start",
			[]Argument{lang},
			note{"Take part in the team", "参与团队工作"},
			note{"Look for what was asked of you, then claim tasks until none is left.", "先看别人交给你的事，然后认领任务直到没有为止。"},
		},
		{
			"next",
			[]Argument{lang},
			note{"Do the next piece of work", "做下一件工作"},
			note{"One directive or one task, then stop.", "一条指令或一个任务，然后停下。"},
		},
		{
			"handoff",
			[]Argument{{"to", note{"agent that goes on, if it is a certain one", "接手的智能体，如果有指定"}}, lang},
			note{"Hand your work over", "移交工作"},
			note{"Leave checkpoints, release what you hold, and say what comes next.", "留下 checkpoint，释放持有的任务，说明下一步。"},
		},
		{
			"status",
			[]Argument{lang},
			note{"How the team stands", "团队现状"},
			note{"What needs a person, who does what, what is ready.", "需要人处理的事、谁在做什么、哪些已就绪。"},
		},
		{
			"console",
			[]Argument{{"request", note{"what to do first, such as: send bob run the tests", "首先要做的事，例如：send bob 运行测试"}}, lang},
			note{"Steer the team", "指挥团队"},
			note{"Send directives, watch them, put tasks on the board.", "发送指令、跟踪结果、添加任务。"},
		},
		{
			"worker",
			[]Argument{lang},
			note{"One round of a worker", "执行者的一轮工作"},
			note{"Wait for a directive, do it, report it, stop.", "等一条指令，执行，报告，停下。"},
		},
	}
}

// Title is what a menu shows.
func (p Prompt) Title(lang string) string { return p.title.in(lang) }

// About is one line on what the prompt does.
func (p Prompt) About(lang string) string { return p.about.in(lang) }

// About is one line on what to give.
func (a Argument) About(lang string) string { return a.about.in(lang) }

// Text is what the model reads, in the language that the arguments name.
func (p Prompt) Text(args map[string]string) (string, error) {
	lang := args[ArgumentLang]
	if l := strings.ToLower(lang); l != "" && !strings.HasPrefix(l, "en") && !strings.HasPrefix(l, "zh") {
		return "", fmt.Errorf("there is no text in the language %q: en and zh-CN are there", lang)
	}
	t, err := template.New(p.Name).Parse(guide(p.Name, lang))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, struct{ Rules, To, Request string }{
		strings.TrimSpace(guide("rules", lang)), oneLine(args["to"]), oneLine(args["request"]),
	})
	return strings.TrimSpace(b.String()) + "\n", err
}

// oneLine keeps an argument from becoming a part of the text's own structure.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Rules is how a team's work goes, as the file that the client's model always reads
// has it, and where that file is in a project. Empty is a client that we have no
// rules for.
func (c *Client) Rules(lang string) (file, text string) {
	title := note{"# Working in a team with ATMcp", "# 使用 ATMcp 进行团队协作"}.in(lang)
	body := title + "\n\n" + guide("rules", lang)
	switch c.ID {
	case "claude":
		return "CLAUDE.md", body
	case "cursor":
		about := note{"How to work in the team that the atmcp tools connect to", "如何在 atmcp 工具所连接的团队中工作"}.in(lang)
		return ".cursor/rules/atmcp.mdc", "---\ndescription: " + about + "\nalwaysApply: true\n---\n\n" + body
	case "codex":
		return "AGENTS.md", body
	case "gemini":
		return "GEMINI.md", body
	case "qwen":
		return "QWEN.md", body
	}
	return "", ""
}

// Presence is how agents show that they are there.
func Presence(lang string) string { return guide("presence", lang) }
