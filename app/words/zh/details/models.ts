/** Details of errors about models: where they come from, and what they are made of, by their English. */
export const words: Readonly<Record<string, string>> = {
  '{0} has {1} bytes, expected {2}': '{0}有 {1} 字节，应当是 {2}',
  'the download was stopped': '下载停下了',
  '{0} has {1} hashes, expected {2}': '{0}有 {1} 个校验值，应当是 {2} 个',
  '{0} is not 64 hexadecimal digits': '{0}不是 64 位十六进制数',
  '{0}.bytes is not a size': '{0}.bytes 不是大小',
  '{0}.{1} is not a list': '{0}.{1} 不是列表',
  '{0}.{1} is not a text': '{0}.{1} 不是文字',
  '{0}: the pieces have {1} bytes, expected {2}': '{0}：各块共 {1} 字节，应当是 {2}',
  '{0} is not a list of packs': '{0}不是一列角色包',
  '{0}.fingerprint is not 64 hexadecimal digits': '{0}.fingerprint 不是 64 位十六进制数',
  '{0}; this device is offline': '{0}；这台设备没有联网',
  '{0} places weights in {1}, which is not beside it': '{0}把权重放在 {1} 里，旁边却没有',
  'the graph gives other logits with its cache than without, expected a decoder that goes on where it was':
    '这个模型带缓存和不带缓存算出来的不一样，没法接着往下算',
  'the graph gives {0} rows of logits for {1} tokens, expected all or the last':
    '这个模型对 {1} 个词元给出 {0} 行结果，应当是全部，或最后一行',
  'the graph carries {0} as ONNX data type {1}, expected floats of 16 or 32 bits, or bytes':
    '这个模型的 {0} 是 ONNX 的 {1} 类型，应当是 16 或 32 位浮点数，或字节',
  'the linear layers of this backbone take no adapters, so that no pack can play on it':
    '这个模型的线性层接不上适配器，什么角色包都演不了',
  'onnxruntime’s attention rotates multiples of {0} pairs, this decoder has {1}':
    'onnxruntime 的注意力只转 {0} 对的倍数，这个模型是 {1} 对',
  '{0} and config.json do not say the size of heads and vocabulary, expected head_dim and vocab_size':
    '{0}和 config.json 都没有写注意力头和词表有多大，应当有 head_dim 和 vocab_size',
  '{0} has no inputs input_ids and past_key_values.0.key and output logits, expected a decoder with a cache':
    '{0}没有输入 input_ids、past_key_values.0.key 和输出 logits，应当是带缓存的模型',
  '{0} has the input {1}, expected token ids, a mask, positions and what is read before':
    '{0}有输入 {1}，应当只有词元、掩码、位置和之前读过的',
  'the graph takes {0} as ONNX data type {1}, expected integers, floats or truth values':
    '这个模型的 {0} 要 ONNX 的 {1} 类型，应当是整数、浮点数或真假值',
  'the chat template gives no text': '聊天模板没有给出文字',
  'the chat template does not parse: {0}': '聊天模板读不通：{0}',
  'the chat template has {0} characters, at most {1} are read': '聊天模板有 {0} 个字符，最多读 {1} 个',
  '{0} has no chat_template': '{0}里没有 chat_template',
  'the chat template refuses the chat: {0}': '聊天模板不收这段聊天：{0}',
  "the last message is the {0}'s, expected the assistant's to continue it":
    '最后一条消息是 {0} 的，要是助手的才能接着说',
  '{0} cannot be used: {1}': '{0}用不了：{1}',
  '{0}: a Sequence has no decoders': '{0}：Sequence 里没有解码器',
  '{0}: the decoder Replace has no pattern': '{0}：解码器 Replace 没有 pattern',
  '{0}: the decoder has no type': '{0}：解码器没有 type',
  '{0}: the decoder {1} is not known': '{0}：不认识解码器 {1}',
  '{0} gives the token {1} the id {2}, expected an integer below 2^24':
    '{0}给词元 {1} 的编号是 {2}，应当是小于 2^24 的整数',
  '{0} has added_tokens that are not objects': '{0}的 added_tokens 不是对象',
  '{0} has merges that are not pairs of tokens': '{0}的 merges 不是成对的词元',
  '{0} has no model': '{0}里没有 model',
  '{0} has no model.vocab': '{0}里没有 model.vocab',
  '{0} has a model of type {1}, expected BPE, Unigram or WordPiece':
    '{0}的 model 是 {1} 类型，应当是 BPE、Unigram 或 WordPiece',
  'the site was not waited for': '没有等网站答复',
  '{0} cannot be asked for: the server answered {1}': '问不到{0}：服务器答的是 {1}',
  '{0} cannot be asked for: {1}': '问不到{0}：{1}',
  '{0} has no ONNX model under a usual name: give the path of the .onnx file itself ({1})':
    '{0}里没有常见名字的 ONNX 模型：请直接写出 .onnx 文件的路径（{1}）',
  '{0} leads to another site, {1}, which is not asked': '{0}转到了另一个网站 {1}，那里不问',
  '{0} comes without its length, by which it would be checked: have the site send it uncompressed':
    '{0}来的时候没有写长度，没法核对：请让网站不压缩地送',
  '"{0}" is no path of this site': '{0} 不是这个网站的路径',
  '{0} lies on another site than this page ({1}): fetch the folder, and open it from this device':
    '{0}在另一个网站上，不在这个页面的网站（{1}）：请把文件夹下载下来，从这台设备打开',
  'models/catalogue.json is not a list of models': 'models/catalogue.json 不是一列模型',
  '{0} names forms of nothing, or no form of what was tried': '{0}写了没有的形式，或者没有写试过的形式',
  '{0}.forms has what is none of {1}': '{0}.forms 里有不属于 {1} 的东西',
  '{0}.forms is not a list': '{0}.forms 不是列表',
  '{0}.licenceUrl is not an address that begins with https': '{0}.licenceUrl 不是以 https 开头的地址',
  '{0}.repository is not OWNER/NAME': '{0}.repository 不是“主人/名字”的样子',
  '{0}.what is none of {1}': '{0}.what 不在 {1} 之中',
  '{0}.{1} is neither true nor false': '{0}.{1} 既不是 true 也不是 false',
  'models/hubs.json is not a list of hubs': 'models/hubs.json 不是一列模型站',
  '{0}.name is not a text': '{0}.name 不是文字',
  '{0}.url is not the address of a hub, without a path': '{0}.url 不是模型站的地址，后面不要带路径',
  'the hub was not waited for': '没有等模型站答复',
  '{0} does not answer as a hub of models does: {1}': '{0} 的答复不像模型站：{1}',
  '{0} cannot be reached: {1}; {2}': '够不着 {0}：{1}；{2}',
  '{0} lists files without an end': '{0} 列文件列个没完',
  '{0} sends a list without an end': '{0} 送来的列表没完没了',
  '{0} sends on to {1} for its list, which is not asked': '{0} 把列表转到了 {1}，那里不问',
  '{0}: {1} sends another file than it lists. {2}': '{0}：{1} 送来的文件和它列的不一样。{2}',
  'Nothing of that file was used. Look the model up again, or take another revision.':
    '那个文件完全没有用上。再查一次这个模型，或者换一个版本',
  '{0} is asked too often from here (429): try again in some minutes.':
    '从这里问 {0} 问得太多了（429）：过几分钟再试',
  '{0} answered {1} when it was asked for {2}: try again later.': '问 {0} 要 {2}，答的是 {1}：过会儿再试',
  '{0}: the server gives no parts': '{0}：服务器不肯分段给',
  '{0} has {1} bytes on the server, expected {2}': '{0}在服务器上有 {1} 字节，应当是 {2}',
  '{0} came with Content-Range {1}, expected {2}': '{0}来的时候写着 Content-Range {1}，应当是 {2}',
  '{0} was changed on the server while it came': '{0}在路上的时候，服务器那边变了',
  '{0} stopped at {1} of {2} bytes: {3}': '{0}共 {2} 字节，到 {1} 字节停下了：{3}',
  '{0} does not give {1} to strangers ({2}): it is gated, private, or not there. Accept its terms at {3}, fetch it with `hycora fetch` and your HF_TOKEN, and open the folder.':
    '{0} 不把 {1} 给陌生人（{2}）：要先同意条款，或者不公开，或者没有。到 {3} 同意条款，用 `hycora fetch` 和你的 HF_TOKEN 取下来，再打开那个文件夹',
  '{0} has no model {1} ({2}): look at how its name and revision are written.':
    '{0} 没有模型 {1}（{2}）：看看名字和版本写得对不对',
  '{0}: it was there when {1} was listed. Look the model up again.':
    '{0}：列出 {1} 的时候它还在。再查一次这个模型',
  '"{0}" names no model, expected OWNER/NAME or its address':
    '{0} 不是模型的名字，应当是“主人/名字”，或它的地址',
  '{0} has both {1} and {2}': '{0}里既有 {1} 又有 {2}',
  '{0} has no ONNX model: look for one whose name ends in -ONNX':
    '{0}里没有 ONNX 模型：找一个名字以 -ONNX 结尾的',
  '{0} has no {1}, which belongs beside the model': '{0}里没有 {1}，它应当在模型旁边',
  'the pack has no hyper-network, its sources ask for one': '角色包里没有超网络，它的来源却要用',
  'the pack has rank {0} and {1} layers, expected {2} and {3}':
    '角色包的秩是 {0}，有 {1} 层，应当是 {2} 和 {3}',
  'the pack has {0} [{1}], the backbone [{2}]': '角色包的 {0} 是 [{1}]，模型的是 [{2}]',
  'the pack is made for {0} with {1} layers, this backbone has {2}':
    '角色包是给有 {1} 层的 {0} 做的，这个模型有 {2} 层',
  "the pack is made for {0}: its {1} projection is {2} → {3}, this backbone's {4} → {5}":
    '角色包是给 {0} 做的：它的 {1} 投影是 {2} → {3}，这个模型的是 {4} → {5}',
  'role {0} does not exist, the pack has {1}': '没有第 {0} 个角色，角色包里有 {1} 个',
  '{0} has no role "{1}"; it has {2}': '{0}里没有 {1}；有的是 {2}',
  '{0} is a blend itself: mix the roles that it is made of': '{0} 本身就是混出来的：请混做成它的那些角色',
  '{0} has no chat template': '{0}里没有聊天模板',
  '{0} has no tokenizer.json': '{0}里没有 tokenizer.json',
  '{0} is not UTF-8 text': '{0}不是 UTF-8 的文字',
  '{0} is made for {1}, this is {2}': '{0}是给 {1} 做的，这里是 {2}',
  'config.json has {0} {1}, expected a positive number': 'config.json 的 {0} 是 {1}，应当是正数',
  'config.json is not a JSON object, expected one': 'config.json 不是 JSON 对象',
  'tokenizer.json has no model.vocab, expected a vocabulary': 'tokenizer.json 里没有 model.vocab，应当有词表',
  'config.json has {0} {1}, expected one of {2}': 'config.json 的 {0} 是 {1}，应当是 {2} 之一',
  'config.json has {0} {1}, expected {2}': 'config.json 的 {0} 是 {1}，应当是 {2}',
  'the model computes no numbers: its weights are damaged or overflow, or the graphics driver computes wrongly':
    '模型算出来的不是数：权重坏了或溢出了，或者显卡驱动算错了',
  'the prompt has {0} tokens, this backbone holds {1} here':
    '提示词有 {0} 个词元，这个模型在这里放得下 {1} 个',
  'the prompt is empty': '提示词是空的',
  'token id {0} is outside the vocabulary of {1}': '词元编号 {0} 在 {1} 个词的词表之外',
  '{0} tokens were to be read, this backbone holds {1} here': '要读 {0} 个词元，这个模型在这里放得下 {1} 个',
  '{0} does not fit into the graphics memory: {1}': '{0} 放不进显存：{1}',
  '{0} tokens were to be read, there is room for {1} here': '要读 {0} 个词元，这里放得下 {1} 个',
  'this graphics card, or its driver, computes wrongly: {0} of {1} known answers':
    '这张显卡或它的驱动算错了：{1} 道知道答案的题，错了 {0} 道',
  'the backbone has no {0}, expected an ONNX model': '模型里没有 {0}，应当有 ONNX 模型',
  "the model's folder {0} is outside its backbone": '模型的文件夹 {0} 在模型之外',
  '{0} gates by {1}, expected {2} of config.json': '{0}的门用的是 {1}，config.json 写的是 {2}',
  '{0} gives {1} twice, again in {2}': '{0}两次给出 {1}，第二次在 {2}',
  '{0} has a rotary table [{1}] in {2}, expected two positions and {3} pairs':
    '{0}的旋转表 {2} 是 [{1}]，应当有两个位置和 {3} 对',
  '{0} has an RMS norm with epsilon {1}, expected {2}': '{0}里有一个 RMS 归一化的 epsilon 是 {1}，应当是 {2}',
  '{0} has rotary tables [{1}] and [{2}], expected two positions and equal shapes':
    '{0}的旋转表是 [{1}] 和 [{2}]，应当有两个位置、形状相同',
  '{0} has rotary tables that do not start at angle 0, expected so': '{0}的旋转表不是从 0 度开始',
  '{0} has {1} bytes, expected {2} up to byte {3}': '{0}有 {1} 字节，{2} 要读到第 {3} 字节',
  '{0} has {1} {2}, expected {3} of config.json': '{0}的 {2} 是 {1}，config.json 写的是 {3}',
  '{0} holds {1} bytes of {2}, expected {3}': '{0}里 {2} 有 {1} 字节，应当是 {3}',
  '{0} holds {1} itself': '{0}里自己就装着 {1}',
  '{0} is not JSON, expected a JSON object': '{0}不是 JSON，应当是 JSON 对象',
  '{0} places {1} in {2}, which is not beside it': '{0}把 {1} 放在 {2} 里，旁边却没有',
  '{0} rotates with {1}, expected {2} of config.json': '{0}按 {1} 旋转，config.json 写的是 {2}',
  '{0} rotates {1} of {2} dimensions of a head, expected {3} of config.json':
    '{0}转了一个头 {2} 维中的 {1} 维，config.json 写的是 {3}',
  '{0} uses {1} in {2} before any node gives it': '{0}在 {2} 里用了 {1}，可还没有谁算出它',
  '{0} adds a bias to the logits, expected a head without one': '{0}给最后的结果加了偏置，应当没有',
  '{0} adds {1} times to the residual stream, expected attention and a gated MLP by turns':
    '{0}往主干上加了 {1} 次，应当是注意力和带门的 MLP 轮着来',
  '{0} embeds {1} tokens and gives {2} logits, expected as many':
    '{0}收 {1} 个词元，给 {2} 个结果，应当一样多',
  '{0} gates by {1} in different blocks, expected one activation': '{0}各块的门不一样（{1}），应当只有一种',
  '{0} has blocks in another order, expected attention, then MLP':
    '{0}各块的顺序不一样，应当先注意力、后 MLP',
  '{0} has norms behind some of its attentions and MLPs, expected them behind all or none':
    '{0}有的注意力和 MLP 后面有归一化，有的没有，应当都有或都没有',
  '{0} has {1} rotary angles a position in {2}, expected {3} for {4} dimensions':
    '{0}的 {2} 里每个位置有 {1} 个旋转角，{4} 维应当有 {3} 个',
  '{0} has {1} rotary frequencies in {2}, expected {3} for {4} dimensions':
    '{0}的 {2} 里有 {1} 个旋转频率，{4} 维应当有 {3} 个',
  '{0} has {1} {2} in different blocks, expected one size': '{0}各块的 {2} 不一样（{1}），应当一样大',
  '{0} holds rotary frequencies in {1} that are no small floats, expected so':
    '{0}的 {1} 里的旋转频率不是小的浮点数',
  '{0} holds the scales {1} as integers, expected floats': '{0}的比例 {1} 是整数，应当是浮点数',
  '{0} holds {1} with ONNX data type {2}, expected codes of {3} bits or unsigned bytes':
    '{0}里的 {1} 是 ONNX 的 {2} 类型，应当是 {3} 位的编码，或无符号字节',
  '{0} holds {1} with ONNX data type {2}, expected float32, float16 or bfloat16':
    '{0}里的 {1} 是 ONNX 的 {2} 类型，应当是 float32、float16 或 bfloat16',
  '{0} multiplies what it adds to the residual stream by {1}, expected one number':
    '{0}往主干上加的，乘了 {1}，应当只乘一个数',
  '{0} normalises {1} columns of the blocks’ queries together, expected one number':
    '{0}各块一起归一化的查询列数不一样（{1}），应当只有一个数',
  '{0} rotates in no block, expected positions in some': '{0}没有一块做旋转，应当有的块看得出位置',
  '{0} rotates in several ways, expected one for all blocks, or one more for those with a window':
    '{0}有好几种旋转，应当所有块一种，有窗口的块最多另有一种',
}
