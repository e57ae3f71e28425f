/** What is told of files that came in and were mended, and of what was learnt, by its English: a sentence each, and its parts. */
export const words: Readonly<Record<string, string>> = {
  // Cards.
  "The card's {0} is {1} where a text is due; it {2}.": '角色卡的 {0} 本该是文字，却是{1}；{2}。',
  "The card's {0} is {1} where a list is due; it {2}.": '角色卡的 {0} 本该是一列，却是{1}；{2}。',
  "The card's {0} is {1} where a list is due; it counts as empty.":
    '角色卡的 {0} 本该是一列，却是{1}；当作空的。',
  "The card's {0} is {1} where an object is due; it counts as empty.":
    '角色卡的 {0} 本该是对象，却是{1}；当作空的。',
  "The entries of the card's {0} are {1}; it counts as empty.": '角色卡的 {0} 的条目是{1}；当作空的。',
  "Entry {0} of the card's {1} is {2} and is left out.": '角色卡的 {1} 的第 {0} 项是{2}，略去了。',
  "Of the card's {0} {1} are no objects and are left out.": '角色卡的 {0} 里有 {1} 项不是对象，略去了。',
  "Of the card's {0} {1} entries are no objects and are left out.":
    '角色卡的 {0} 里有 {1} 个条目不是对象，略去了。',
  'was read as one': '照着读了',
  'counts as empty': '当作空的',
  'a list': '一列',
  'an object': '对象',
  'a text': '文字',
  'a number': '数',
  'a boolean': '真假值',
  'The card follows version {0} of the specification; 3.0 is what is known here.':
    '角色卡按规范的第 {0} 版写成；这里认识到 3.0。',
  'The card has its name beside its data, not in it; it was taken from there.':
    '角色卡的名字写在数据旁边，不在里面；就从那里取了。',
  "The card's data is JSON within a text, and was read from there.":
    '角色卡的数据是文字里的 JSON，就从那里读了。',
  'The card is that of {0}, which the archive holds.': '这是压缩包里 {0} 的角色卡。',
  'The archive holds {0} characters; the first came in.': '压缩包里有 {0} 个角色；进来的是第一个。',
  'The archive holds {0} scenarios; the character plays in the first.':
    '压缩包里有 {0} 个场景；角色在第一个里演。',
  'It was read although {0}.': '还是读了，尽管{0}。',
  'The picture is left out: {0}.': '图片略去了：{0}。',
  'The picture cannot be drawn and is left out.': '图片画不出来，略去了。',
  'The picture holds {0} texts {1}; one of them is the card that was read, the first that can be.':
    '图片里有 {0} 段 {1} 文字；读的是其中第一段读得出来的角色卡。',
  '{0}, and another text was read in its place.': '{0}，于是读了另一段文字。',
  '{0}: the {1} text': '{0}：{1} 文字',
  'not base64': '不是 base64',
  'Assets that are left out: {0}; {1}.': '略去了 {0} 个附带的文件；{1}。',
  'Files that are left out: {0}. {1}.': '略去了 {0} 个文件。{1}。',
  'Lines that are left out: {0}.': '略去了 {0} 行。',
  // Packs and adapters.
  'The folder names {0} as its base model{1}; only the sizes can be compared.':
    '文件夹写的基座模型是{0}{1}；能比的只有尺寸。',
  'no model': '没有模型',
  ', and {0} is at hand': '，手头的是 {0}',
  'It holds values up to {0}: whoever made it may have made a mistake.':
    '里面的数大到 {0}：做它的人也许弄错了。',
  'Every {0} is zero, as before the first step of training: nothing was learnt, and the model says what it says without it.':
    '{0} 全是零，和训练第一步之前一样：什么也没有学到，有没有它，模型说的都一样。',
  'The configuration names {0}, but the weights have no matrices of it: it changes nothing there.':
    '配置里写了 {0}，权重里却没有它的矩阵：那里什么也不会变。',
  'The LoRA has matrices of {0} linears, such as {1}, that its configuration does not name; as PEFT does, they are passed over.':
    'LoRA 有 {0} 个线性层的矩阵（如 {1}）是配置里没有写的；和 PEFT 一样，跳过了。',
  'The LoRA leaves {0} linears out; there the role changes nothing.':
    'LoRA 少了 {0} 个线性层；角色在那里什么也不改。',
  "The LoRA began with {0}, which changes the base model's own weights; it fits only if it was converted when it was saved, and its configuration says that it was not: on the model as it is published, the role is not the one that was trained. Where it was trained, PEFT's save_pretrained converts it, given path_initial_model_for_weight_conversion.":
    'LoRA 以 {0} 开头，那会改动基座模型自己的权重；只有存的时候转换过才合用，而配置说没有：用公开的模型，角色就不是训练出来的那个。在训练它的地方，给 PEFT 的 save_pretrained 加上 path_initial_model_for_weight_conversion，就会转换。',
  'The LoRA says fan_in_fan_out, which no linear of this kind has; as PEFT does, it is passed over.':
    'LoRA 写了 fan_in_fan_out，这种线性层没有这回事；和 PEFT 一样，跳过了。',
  'The LoRA was trained for {0}, not to go on with a text.': 'LoRA 是为 {0} 训练的，不是为了往下写文字。',
  'Of {0}, {1} is not known here and was passed over.': '{0} 里的 {1} 这里不认识，跳过了。',
  'The mlx-lm adapter states an alpha beside its scale; as the versions that wrote one do, both were used.':
    'mlx-lm 的适配器在 scale 旁边还写了 alpha；和当时写它的版本一样，两个都用了。',
  '{0} holds several adapters; {1} was read, not {2}': '{0}里有好几个适配器；读了 {1}，没有读 {2}',
  '{0} and {1} cannot be compared by fingerprint; their shapes agree':
    '{0} 和 {1} 没有指纹可以比；形状是对得上的',
  // Texts.
  '{0} has no byte order mark and was read as UTF-16': '{0}没有字节序标记，当作 UTF-16 读了',
  '{0} has {1} characters that are no UTF-8; they stand as �': '{0}有 {1} 个字不是 UTF-8；写作 �',
  '{0} is not UTF-8 and was read as Windows-1252; where letters look wrong, save it as UTF-8':
    '{0}不是 UTF-8，当作 Windows-1252 读了；字看着不对的话，请存成 UTF-8',
  // Lines.
  'Names such as {0} number the rows, which are all taken for {1}’s.':
    '像 {0} 这样的名字只是行号，全都当作{1}的。',
  'What a model thinks before it speaks is left out of its replies.': '模型开口之前想的，从回答里略去了。',
  '{0} there for what comes after, and not learnt.': '{0}只为后文垫着，不学。',
  'One reply is': '有一句回答',
  '{0} replies are': '有 {0} 句回答',
  'Not read of the rows: {0}.': '各行里没有读的：{0}。',
  'Macros that are left as they stand: {0}.': '照原样留着的宏：{0}。',
  '{0} look alike and are characters of their own.': '{0}看着一样，却各是各的角色。',
  'Every row has a character of its own: {0}; say who speaks.':
    '每一行都有自己的角色：{0}；请说明是谁在说话。',
  '{0} and {1} more': '{0}，还有 {1} 个',
  'Of those who speak only {0} learns; {1} is listened to.': '说话的人里只有{0}要学；{1}只是听着。',
  'Before a colon once, and taken for words of the line above: {0}.':
    '只在冒号前出现过一次，当作上一行的话：{0}。',
  '{0} (line {1})': '{0}（第 {1} 行）',
  'Stage directions behind names are left out: {0}.': '名字后面的舞台说明略去了：{0}。',
  'Left out of the messenger’s export: {0} of the program’s own.':
    '从聊天软件导出的记录里，略去了软件自己写的{0}。',
  'one line': '一行',
  '{0} lines': ' {0} 行',
  'Two columns are called {0}; the first is read.': '有两列都叫 {0}；读的是头一列。',
  'By the files’ names {0} is learnt, {1} is held out.': '照文件名，{0} 要学，{1} 留出。',
  'By the files’ names {0} is held out.': '照文件名，{0} 留出。',
  // Runs.
  'Neither the chat template nor the model has a token that ends a turn: answers go on to their limit.':
    '聊天模板和模型都没有结束一轮的词元：回答会一直说到上限。',
  'The chat template writes no token that ends a turn: {0} is learnt behind the last reply of a dialogue.':
    '聊天模板不写结束一轮的词元：每段对话最后的回答后面学一个 {0}。',
  'Three steps in a row had no finite gradient: back to step {0}, at half the learning rate.':
    '接连三步的梯度不是有限的数：退回第 {0} 步，学习率减半。',
  'On the lines held out no step is better than the start: {0} before the first, at best {1} at step {2}.':
    '在留出的台词上，没有哪一步比开头好：第一步之前是 {0}，最好的是第 {2} 步的 {1}。',
  'The loss is {0}, far above the {1} it began with: the run is lost where it does not come down again. Begin anew with a smaller learning rate.':
    '损失是 {0}，远高于开头的 {1}：要是再不降下来，这次排练就白费了。请用小一些的学习率重新开始。',
  'no word of {0}’s reply fits into {1} tokens': '{0}的回答一个字也放不进 {1} 个词元',
}
